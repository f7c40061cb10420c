# As much of fluentd, and of prometheus-client, as the plugins beside its configuration see, so that they run without.
module Fluent
  class ConfigError < StandardError; end
  class UnrecoverableError < StandardError; end
  class Log
    attr_reader :lines

    def initialize = @lines = []
    def error(text, **more) = @lines << "#{text} #{more}"
    alias warn error
    alias info error
  end

  EventTime = Struct.new(:sec, :nsec)
  class MultiEventStream
    attr_reader :entries

    def initialize = @entries = []
    def add(time, record) = @entries << [time, record]
    def empty? = @entries.empty?
    def each(&block) = @entries.each { |entry| block.call(*entry) }
  end

  module Plugin
    def self.register_filter(name, what) = (@known ||= {})["filter #{name}"] = what
    def self.register_output(name, what) = (@known ||= {})["match #{name}"] = what
    def self.register_input(name, what) = (@known ||= {})["source #{name}"] = what
    def self.known = @known

    class Base
      class << self
        def params = @params ||= {}
        def desc(_text) = nil

        def config_param(name, type, **more)
          params[name] = more
          raise "unknown type #{type}" unless %i[string integer bool size time].include?(type)
        end

        def helpers(*names) = (names - %i[timer thread]).empty? || raise("unknown helpers #{names}")
      end
      attr_reader :log

      def initialize = @log = Log.new

      def configure(conf)
        unknown = conf.keys - self.class.params.keys.map(&:to_s)
        raise ConfigError, "unknown: #{unknown}" unless unknown.empty?

        self.class.params.each do |name, more|
          raise ConfigError, "#{name} is required" unless conf.key?(name.to_s) || more.key?(:default)

          instance_variable_set("@#{name}", conf.fetch(name.to_s, more[:default]))
        end
      end
    end

    class Filter < Base; end
    class Output < Base; end

    # Of fluent-plugin-elasticsearch. A test's: what is done with a chunk, and with whom what is emitted ends.
    class ElasticsearchOutput < Output
      attr_writer :router, :work

      def router = @router
      def write(chunk) = @work.call(chunk)
    end

    class Input < Base
      def start = nil
      def timer_execute(_title, _interval, &code) = @timer = code
      # A test's: the time has come.
      def tick = @timer.call
      # A test's: it takes what is emitted, and says how long the thread goes on.
      attr_accessor :router, :running
      def thread_create(_title, &code) = @thread = code
      def thread_current_running? = @running.call
      def go = @thread.call
    end
  end
end

module Prometheus
  module Client
    class Metric
      attr_reader :value

      def initialize
        @value = 0
        @of = {}
      end

      def set(value) = @value = value
      def increment(by: 1, labels: nil)
        @value += by
        @of[labels] = @of.fetch(labels, 0) + 1 if labels
      end
      def init_label_set(labels) = @of[labels] ||= 0
      # A test's: by labels.
      attr_reader :of
    end

    class Registry
      attr_reader :metrics

      def initialize = @metrics = {}
      def get(name) = @metrics[name]
      def gauge(name, docstring:) = add(name, docstring)
      def counter(name, docstring:, labels: []) = add(name, docstring)

      private

      def add(name, text)
        raise "#{name} twice, or without a text" if @metrics[name] || text.empty?

        @metrics[name] = Metric.new
      end
    end

    def self.registry = @registry ||= Registry.new
  end
end
require_relative 'journal'
$LOADED_FEATURES << 'fluent/plugin/filter.rb' << 'fluent/plugin/output.rb'
# `require` asks for them by this name.
module Kernel
  alias shipper_require require
  def require(name) = %w[fluent/plugin/filter fluent/plugin/input fluent/plugin/output fluent/plugin/out_elasticsearch prometheus/client systemd/journal].include?(name) ? true : shipper_require(name)
end
FLUENTD = File.expand_path('../../k8s/base/fluentd', __dir__)
require "#{FLUENTD}/out_cloud_logging.rb"
require "#{FLUENTD}/in_chunk_backup.rb"
require "#{FLUENTD}/in_linux_audit.rb"
require "#{FLUENTD}/filter_linux_audit_volume.rb"
COMPONENTS = File.expand_path('../../k8s/components', __dir__)
require "#{COMPONENTS}/sigma/filter_linux_audit_sigma.rb"
require "#{COMPONENTS}/ecs/filter_linux_audit_ecs.rb"
require "#{COMPONENTS}/forward/elasticsearch/out_linux_audit_elasticsearch.rb"
