# Records through fluentd's input: standard input as for same.lua, an entry as JSON a line. ARGV[0]: a directory for its
# state. ARGV[1]: it is killed after so many records, when the buffer has taken them, and started again.
require 'json'
require_relative 'fluent'

Killed = Class.new(Exception)
class Same
  # after: read so many records, it is killed; nil: it goes on to the end.
  def initialize(dir, after)
    @after = after
    @read = @idle = 0
    input = Fluent::Plugin::LinuxAuditInput.new
    input.configure('tag' => 't', 'state_path' => dir, 'interval' => 0)
    input.router = self
    same = self
    input.define_singleton_method(:read_batch) { super().tap { |count, _| same.read(count) } }
    # Once nothing new comes, the time of all is over.
    input.define_singleton_method(:clock) { super() + same.later }
    input.define_singleton_method(:sleep) { |_| nil }
    input.running = -> { @idle < 2 }
    input.start
    begin
      input.go
    rescue Killed
      nil
    end
    warn input.log.lines
  end

  def read(count)
    @read += count
    @idle = count.zero? ? @idle + 1 : 0
  end

  def later = @idle.positive? ? 1e6 : 0

  def emit_stream(_tag, stream)
    stream.each { |_, entry| puts JSON.generate(entry) }
    raise Killed if @after && @read >= @after
  end
end

Systemd::Journal.first = 1
Systemd::Journal.entries = $stdin.binmode.each_line(chomp: true).map do |line|
  boot, id, time, came, message = line.split("\t", 5)
  { '_BOOT_ID' => boot, '_AUDIT_ID' => id, '_SOURCE_REALTIME_TIMESTAMP' => time, '__CAME' => came, 'MESSAGE' => message }
end
Same.new(ARGV[0], ARGV[1].to_i) if ARGV[1]
Same.new(ARGV[0], nil)
