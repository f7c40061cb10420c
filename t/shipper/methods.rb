# What the plugins define, and their parameters.
require_relative 'fluent'
Fluent::Plugin.known.each do |name, plugin|
  puts "#{name}: #{plugin.params.keys.join(' ')}"
  methods = plugin.instance_methods(false) + plugin.private_instance_methods(false)
  # An input begins there, one filter adds entries, and one output hears of what is refused, on purpose.
  methods -= [:start] if name.start_with?('source ')
  methods -= [:filter_stream] if name == 'filter linux_audit_volume'
  methods -= [:router] if name == 'match linux_audit_elasticsearch'
  puts "methods: #{methods.join(' ')}"
end
