# A journal as journalctl -o export writes it.

# Yields each entry: the values by name, of a name that comes twice the last.
def each_entry(io)
  entry = {}
  while (line = io.gets)
    line.chomp!
    if line.empty?
      yield entry unless entry.empty?
      entry = {}
    elsif line.include?('=')
      name, value = line.split('=', 2)
      entry[name] = value
    else
      # A value that is not plain text: its size, 8 bytes, then itself and a newline.
      entry[line] = io.read(io.read(8).unpack1('Q<'))
      io.read(1)
    end
  end
  yield entry unless entry.empty?
end

# The records of the audit system by event, in order.
def audit_events(io)
  events = Hash.new { |all, id| all[id] = [] }
  each_entry(io.binmode) { |e| events["#{e['_BOOT_ID']}-#{e['_AUDIT_ID']}"] << e if e['_TRANSPORT'] == 'audit' }
  events
end
