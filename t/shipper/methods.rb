# What the plugins define, and their parameters.
require_relative 'fluent'
Fluent::Plugin.known.each do |name, plugin|
  puts "#{name}: #{plugin.params.keys.join(' ')}"
  puts "methods: #{(plugin.instance_methods(false) + plugin.private_instance_methods(false)).join(' ')}"
end
