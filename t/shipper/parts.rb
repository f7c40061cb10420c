# The parts of an event, a JSON array of entries a line, as what they say together: the texts of its records but of EXECVE, whose
# arguments are joined, so that it is the same wherever the event was cut. A line of JSON each.
require 'json'
require_relative 'restore'

$stdin.each_line do |line|
  parts = JSON.parse(line)
  argv = {}
  argc = nil
  texts = parts.flat_map do |e|
    at = e['argv_at'].to_i
    e['argv']&.each_with_index { |argument, i| (argv[at + i] ||= +''.b) << AuditText.original(argument) }
    argc ||= e['argc'] || (at.zero? ? e['argv']&.size : nil)
    Restore.new(e).records.reject { |type, _| type == 'EXECVE' }
  end
  puts JSON.generate('records' => texts.map { |pair| pair.join(' ') }, 'argc' => argc, 'argv' => argv.sort.map { |i, bytes| [i, bytes.unpack1('H*')] })
end
