# What is wanted on the node, but not in the cloud, beyond what fluentd's grep can say: of a key's events one in so many, and
# of a container so many entries a minute. Of what a limit leaves out one more entry tells how many it was, of type LEFT_OUT
# (k8s/entry.schema.json). fluent-bit's volume.lua does the same.
require 'fluent/plugin/filter'
begin
  require 'prometheus/client'
rescue LoadError
  # Then nothing is counted.
end

module Fluent
  module Plugin
    class LinuxAuditVolumeFilter < Filter
      Fluent::Plugin.register_filter('linux_audit_volume', self)

      desc 'The key of whose events not all are sent.'
      config_param :sample_key, :string, default: nil
      desc 'Of those one in so many, by the serial number of the event: the same ones at each try.'
      config_param :sample, :integer, default: 1
      desc 'Entries a minute and container; 0: all.'
      config_param :limit, :integer, default: 0

      MINUTE = 60
      Window = Struct.new(:from, :count, :out, :first)

      def initialize
        super
        @windows = {}
        @second = 0
      end

      def configure(conf)
        super
        raise Fluent::ConfigError, 'sample is 1 or more, limit 0 or more' if @sample < 1 || @limit.negative?
        return unless defined?(::Prometheus::Client)

        registry = ::Prometheus::Client.registry
        @left_out = registry.get(:linux_audit_left_out_total) ||
                    registry.counter(:linux_audit_left_out_total, docstring: 'Entries not sent because of linux_audit_volume')
      end

      # Not `filter`, which can leave out, but not add. The same stream comes again while the buffer refuses it: it is counted
      # once, and what tells of a limit comes with each try.
      def filter_stream(_tag, stream)
        of = []
        stream.each { |_, entry| of << entry.values_at('event', 'part') }
        return @kept if of == @of && of.all?(&:first)

        @kept = filter_once(stream)
        @of = of
        @kept
      end

      private

      def filter_once(stream)
        kept = MultiEventStream.new
        stream.each do |time, entry|
          over(time).each { |told| kept.add(*told) }
          next kept.add(time, entry) if sampled?(entry) && within?(time, entry)

          @left_out&.increment
        end
        kept
      end

      def sampled?(entry)
        return true unless @sample_key && (entry['key'] || entry['keys']&.join(',')) == @sample_key

        (entry['event'].to_s[/\d+\z/].to_i % @sample).zero?
      end

      # What somebody claims may name any container, and any number of them: all of it counts as one.
      def within?(time, entry)
        container = @limit.positive? && entry['container'] or return true
        id = container['source'] == 'claimed' ? 'claimed' : container['id']
        window = @windows[id] ||= Window.new(time.sec, 0, 0, nil)
        window.count += 1
        return true if window.count <= @limit

        window.out += 1
        window.first ||= [time, entry.slice('event', 'host', 'class', 'container')]
        false
      end

      # Of the minutes that are over, the entries that tell what was left out; looked for once a second, where events come a
      # little out of order, too. A kill forgets counts: with another one it is another entry.
      def over(time)
        return [] if time.sec <= @second && @second - time.sec < MINUTE

        @second = time.sec
        ended = @windows.select { |_, window| (time.sec - window.from).abs >= MINUTE }
        ended.each_key { |id| @windows.delete(id) }
        ended.each_value.select(&:first).map do |window|
          at, about = window.first
          [at, { 'format' => 1, 'type' => ['LEFT_OUT'], 'left_out' => window.out, 'severity' => 'NOTICE',
                 'id' => "#{about['event']}-LEFT_OUT-#{window.out}" }.merge(about)]
        end
      end
    end
  end
end
