# Adds to an entry the fields by which Sigma's rules for linux/auditd and for process_creation on Linux ask.
require 'fluent/plugin/filter'

module Fluent
  module Plugin
    class LinuxAuditSigmaFilter < Filter
      Fluent::Plugin.register_filter('linux_audit_sigma', self)

      # Processes whose last started program is remembered, for those that they start.
      PROCESSES = 8192

      def initialize
        super
        @programs = {}
      end

      def filter(_tag, _time, entry)
        entry['SYSCALL'] = entry['syscall'].to_s if entry.key?('syscall')
        entry['euid'] = entry['uid'] if entry.key?('uid') && !entry.key?('euid')
        paths(entry) if entry.key?('paths')
        program(entry) if entry.key?('argv') && !entry.key?('argv_at')
        entry
      end

      private

      # Rules ask by single records: any path that fits is one.
      def paths(entry)
        entry['name'] = entry['paths'].filter_map { |path| path['name'] }
        entry['nametype'] = entry['paths'].map { |path| path['nametype'] || 'NORMAL' }.uniq
      end

      # In the place of where the call's arguments were in memory come those of the program, as in an EXECVE record.
      def program(entry)
        %w[a0 a1 a2 a3].each { |name| entry.delete(name) }
        entry['argv'].each_with_index { |argument, i| entry["a#{i}"] = argument }
        entry['Image'] = entry['exe'] if entry['exe']
        entry['CommandLine'] = entry['argv'].join(' ')
        entry['CurrentDirectory'] = entry['cwd'] if entry['cwd']
        entry['LogonId'] = entry['ses'].to_s if entry['ses']
        # What other numbers are called, only the container or the node knows.
        entry['User'] = entry['uid'].zero? ? 'root' : entry['uid'].to_s if entry['uid']
        parent(entry)
      end

      # What the parent started last, if that was seen.
      def parent(entry)
        image, line = @programs[[entry['host'], entry['ppid']]]
        entry['ParentImage'] = image if image
        entry['ParentCommandLine'] = line if line
        return unless entry['success'] == 'yes'

        process = [entry['host'], entry['pid']]
        @programs.delete(process)
        @programs[process] = entry.values_at('Image', 'CommandLine')
        @programs.shift if @programs.size > PROCESSES
      end
    end
  end
end
