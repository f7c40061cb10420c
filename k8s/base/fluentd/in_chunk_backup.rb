# Bounds what fluentd keeps of chunks that were refused for good, or that it found broken: it copies them below root_dir,
# in backup/, and has no limit for that (fluent/fluentd#5352). Beyond the limit the oldest go; three metrics tell.
# It has no records of its own.
require 'prometheus/client'
require 'fluent/plugin/input'

module Fluent
  module Plugin
    class ChunkBackupInput < Input
      Fluent::Plugin.register_input('chunk_backup', self)
      helpers :timer

      desc 'The directory, root_dir/backup.'
      config_param :path, :string
      desc 'When its files are larger together, the oldest are deleted.'
      config_param :limit, :size
      desc 'How often it is looked at: so much may come in between.'
      config_param :interval, :time, default: 10

      def start
        super
        @bytes = metric(:gauge, :linux_audit_refused_bytes, 'Size of the refused chunks that are kept')
        @kept = metric(:gauge, :linux_audit_refused_chunks, 'Refused chunks that are kept')
        @deleted = metric(:counter, :linux_audit_refused_chunks_deleted_total, 'Refused chunks deleted for the limit')
        look
        timer_execute(:chunk_backup, @interval) { look }
      end

      private

      def metric(kind, name, text)
        registry = ::Prometheus::Client.registry
        registry.get(name) || registry.public_send(kind, name, docstring: text)
      end

      # The timer would end with an error.
      def look
        files = kept_files
        size = files.sum { |_, stat| stat.size }
        while size > @limit
          file, stat = files.shift
          File.delete(file)
          size -= stat.size
          @deleted.increment
          log.error 'a refused chunk was deleted, the oldest: more are kept than the limit allows', file: file
        end
        @bytes.set(size)
        @kept.set(files.size)
      rescue SystemCallError => e
        log.error 'refused chunks cannot be looked after', path: @path, error: e.message
      end

      # The oldest first.
      def kept_files
        files = Dir.glob(File.join(@path, '**', '*')).map { |file| [file, File.lstat(file)] }
        files.select { |_, stat| stat.file? }.sort_by { |file, stat| [stat.mtime, file] }
      end
    end
  end
end
