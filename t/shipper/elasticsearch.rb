# What the output to Elasticsearch does with entries that are refused, on a stand-in for the plugin that it is made from: TAP.
require 'fileutils'
require 'json'
require 'tmpdir'
require_relative 'fluent'
require_relative 'tap'

# Whom the plugin emits to, and hands to what is refused.
class Router
  attr_reader :emitted, :handed

  def initialize = @emitted = @handed = nil
  def emit_stream(tag, _stream) = @emitted = tag
  def emit_error_event(*) = @handed = true
end
class Refused < StandardError; end

Dir.mktmpdir do |dir|
  path = "#{dir}/backup/elasticsearch"
  output = Fluent::Plugin::LinuxAuditElasticsearchOutput.new
  output.configure('refused_path' => path)
  output.router = router = Router.new
  backup = Fluent::Plugin::ChunkBackupInput.new
  backup.configure('path' => "#{dir}/backup", 'limit' => 10_000)
  backup.start
  metrics = lambda do
    backup.tick
    Prometheus::Client.registry.metrics.transform_values(&:value)
  end
  kept = -> { Dir.glob("#{path}/*").flat_map { |file| File.readlines(file).map { |line| JSON.parse(line) } } }
  # As ElasticsearchErrorHandler does.
  refuse = ->(*entries) { output.work = ->(_) { entries.each { |e| output.router.emit_error_event('t', 0, e, Refused.new("400 - #{e['exit']}")) } } }

  output.work = ->(_) {}
  output.write('chunk')
  is([kept.call, output.log.lines, metrics.call[:linux_audit_refused_chunks]], [[], [], 0], 'what is taken leaves nothing, and says nothing')
  refuse.call({ 'id' => 'a-0', 'exit' => 'EACCES' }, { 'id' => 'b-0', 'exit' => 'EPERM' })
  output.write('chunk')
  is(kept.call, [{ 'status' => { 'message' => '400 - EACCES' }, 'entry' => { 'id' => 'a-0', 'exit' => 'EACCES' } },
                 { 'status' => { 'message' => '400 - EPERM' }, 'entry' => { 'id' => 'b-0', 'exit' => 'EPERM' } }],
     'what is refused is kept as it was sent, with what was said of it')
  is(metrics.call.values_at(:linux_audit_refused_chunks, :linux_audit_refused_bytes), [1, Dir.glob("#{path}/*").sum { |f| File.size(f) }],
     '... and counted, as what Cloud Logging refuses')
  is(Dir.glob("#{path}/*").map { |f| File.stat(f).mode & 0o777 }, [0o600], '... for root alone')
  is(output.log.lines.map { |line| [line[/:refused=>(\d+)/, 1], line[/400 - \w+/]] }, [['2', '400 - EACCES']], '... the log says it once, with the reason')
  is([router.handed, output.router.emit_stream('t', []), router.emitted], [nil, 't', 't'], '... nobody else is told; what is tried again goes its way')

  FileUtils.rm_rf(path)
  File.write(path, '')
  again = begin
    output.write('chunk')
  rescue SystemCallError => e
    e.class
  end
  is(again, Errno::EEXIST, 'where it cannot be kept, the chunk is not done with')
  File.delete(path)
  output.write('chunk')
  is(kept.call.size, 2, '... and is, when it can')
end
puts "1..#{$n}"
