# fluent-plugin-elasticsearch's output, but that it keeps what Elasticsearch will never take: an entry answered 400 is written
# into a file on the node, with the reason, before the chunk is done with. in_chunk_backup.rb counts and bounds these files.
#
# Why not by <label @ERROR>, where the plugin's errors go otherwise: fluentd hands there, too, what a buffer does not take, and
# tells the input that it was taken. So a full buffer would no longer stop the reading, but fill the node with refused entries.
require 'delegate'
require 'fileutils'
require 'json'
require 'fluent/plugin/out_elasticsearch'

module Fluent
  module Plugin
    class LinuxAuditElasticsearchOutput < ElasticsearchOutput
      Fluent::Plugin.register_output('linux_audit_elasticsearch', self)

      desc 'Where entries are kept that Elasticsearch refuses: a directory below root_dir/backup.'
      config_param :refused_path, :string

      # The way by which the plugin hands an entry over that was refused.
      class Kept < SimpleDelegator
        def initialize(router, &keep)
          super(router)
          @keep = keep
        end

        def emit_error_event(_tag, _time, entry, error) = @keep.call(entry, error)
      end

      def router = @kept ||= Kept.new(super) { |entry, error| keep_refused(entry, error) }

      def write(chunk)
        @refused = []
        super
      ensure
        log.error 'Elasticsearch refuses entries; they are kept', refused: @refused.size, reason: @refused.first, in: @refused_path unless @refused.empty?
      end

      private

      # As it was sent, a file an hour. Where that fails the chunk is tried again; Elasticsearch answers of what it has that it
      # has it.
      def keep_refused(entry, error)
        FileUtils.mkdir_p(@refused_path, mode: 0o700)
        line = JSON.generate('status' => { 'message' => error.message }, 'entry' => entry)
        File.open(File.join(@refused_path, Time.now.utc.strftime('%Y%m%dT%H.jsonl')), 'a', 0o600) { |f| f.puts(line) }
        @refused << error.message
      end
    end
  end
end
