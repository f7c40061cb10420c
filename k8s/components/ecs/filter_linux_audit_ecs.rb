# Makes of an entry a document of the Elastic Common Schema. What that has no name for stays, as `auditd`.
require 'fluent/plugin/filter'

module Fluent
  module Plugin
    class LinuxAuditEcsFilter < Filter
      Fluent::Plugin.register_filter('linux_audit_ecs', self)

      VERSION = '8.11.0'.freeze
      # Where a field of the entry goes.
      FIELDS = {
        'host' => 'host.name', 'event' => 'event.id', 'pid' => 'process.pid', 'ppid' => 'process.parent.pid', 'exe' => 'process.executable',
        'comm' => 'process.name', 'argv' => 'process.args', 'cwd' => 'process.working_directory', 'proctitle' => 'process.title',
        'uid' => 'user.id', 'gid' => 'user.group.id', 'euid' => 'user.effective.id', 'acct' => 'user.name'
      }.freeze
      CONTAINER = {
        'id' => 'container.id', 'name' => 'container.name', 'image' => 'container.image.name', 'namespace' => 'orchestrator.namespace',
        'pod' => 'orchestrator.resource.name', 'pod_uid' => 'orchestrator.resource.id'
      }.freeze
      # By call, else by type of the first record, what it was about.
      CATEGORY = {
        'execve' => %w[process start], 'execveat' => %w[process start], 'connect' => %w[network connection], 'accept' => %w[network connection],
        'accept4' => %w[network connection], 'bind' => %w[network info], 'listen' => %w[network info], 'USER_LOGIN' => %w[authentication start],
        'USER_AUTH' => %w[authentication info], 'USER_START' => %w[session start], 'USER_END' => %w[session end], 'ADD_USER' => %w[iam creation],
        'DEL_USER' => %w[iam deletion], 'ADD_GROUP' => %w[iam creation], 'DEL_GROUP' => %w[iam deletion], 'CONFIG_CHANGE' => %w[configuration change]
      }.freeze
      # A caller of these is the source, of others the destination.
      ACCEPTS = %w[accept accept4 recvfrom recvmsg].freeze

      def filter(_tag, _time, entry)
        out = { 'ecs' => { 'version' => VERSION } }
        rest = entry.dup
        FIELDS.each { |from, to| put(out, to, text(to, rest.delete(from))) if rest[from] }
        (rest.delete('container') || {}).each { |from, value| put(out, CONTAINER[from] || "auditd.container.#{from}", value) }
        put(out, 'process.command_line', entry['argv'].join(' ')) if entry['argv']
        about(out, entry)
        address(out, entry)
        file = Array(entry['paths']).find { |path| path['name'] }
        put(out, 'file.path', file['name']) if file
        keys = entry['keys'] || Array(entry['key'])
        out['tags'] = keys unless keys.empty?
        # The output takes these off.
        %w[id severity key keys].each { |name| out[name] = rest.delete(name) if rest.key?(name) }
        (out['auditd'] ||= {}).merge!(rest)
        out
      end

      private

      def put(out, path, value)
        *above, name = path.split('.')
        above.reduce(out) { |hash, key| hash[key] ||= {} }[name] = value
      end

      # Ids of users are texts there.
      def text(to, value)
        return value.join(' ') if to == 'process.title'

        to.start_with?('user') ? value.to_s : value
      end

      def about(out, entry)
        category, type = CATEGORY[entry['syscall']] || CATEGORY[entry['type'].first]
        event = out['event'] ||= {}
        event['kind'] = 'event'
        event['module'] = 'auditd'
        event['action'] = (entry['syscall'] || entry['type'].first).to_s
        event['category'] = [category] if category
        event['type'] = [type] if type
        result = entry['success'] || entry['res']
        event['outcome'] = %w[yes success 1].include?(result.to_s) ? 'success' : 'failure' if result
      end

      def address(out, entry)
        address = entry['sockaddr']
        side = ACCEPTS.include?(entry['syscall']) ? 'source' : 'destination'
        if address && address['address']
          put(out, "#{side}.ip", address['address'])
          put(out, "#{side}.port", address['port'])
        elsif entry['addr'] && entry['addr'] != '?'
          put(out, 'source.ip', entry['addr'])
        end
      end
    end
  end
end
