# The output against a server here that answers as told: TAP.
require 'json'
require 'socket'
require 'stringio'
require 'tmpdir'
require 'zlib'
require_relative 'fluent'

ENV.delete('http_proxy')
INVALID = File.join(Dir.mktmpdir, 'invalid').freeze
at_exit { FileUtils.rm_rf(File.dirname(INVALID)) }
Time_ = Struct.new(:to_i, :nsec)
$n = 0
def ok(good, name)
  puts "#{good ? 'ok' : 'not ok'} #{$n += 1} - #{name}"
end

def is(got, want, name)
  ok(got == want, name)
  puts "# got #{got.inspect}", "# not #{want.inspect}" unless got == want
end

# --- the server ---
ANSWERS = []
SEEN = []
NODE = { 'project/project-id' => 'p-1', 'instance/attributes/cluster-name' => 'c-1',
         'instance/attributes/cluster-location' => 'europe-west1',
         'instance/service-accounts/default/token' =>
           JSON.generate('access_token' => 'the-token', 'expires_in' => 3599, 'token_type' => 'Bearer') }.freeze
server = TCPServer.new('127.0.0.1', 0)
URL = "http://127.0.0.1:#{server.addr[1]}".freeze
Thread.new do
  loop do
    socket = server.accept
    method, path = socket.gets.split
    head = {}
    while (line = socket.gets.chomp) != ''
      name, value = line.split(': ', 2)
      head[name.downcase] = value
    end
    body = socket.read(head['content-length'].to_i)
    body = Zlib.gunzip(body) if head['content-encoding'] == 'gzip'
    SEEN << { method: method, path: path, head: head, body: body }
    node = path.delete_prefix('/computeMetadata/v1/')
    code, text = if method == 'POST' then ANSWERS.shift || [200, '{}']
                 elsif head['metadata-flavor'] == 'Google' && NODE[node] then [200, NODE[node]]
                 else [404, '']
                 end
    socket.write "HTTP/1.1 #{code} X\r\nContent-Length: #{text.bytesize}\r\nConnection: close\r\n\r\n#{text}"
    socket.close
  end
end

def plugin(more = {})
  output = Fluent::Plugin::CloudLoggingOutput.new
  output.configure({ 'log_id' => 'linux-auditd', 'node_name' => 'node-1', 'metadata_url' => URL,
                     'logging_url' => URL, 'invalid_path' => INVALID }.merge(more))
  output
end

RECORDS = [
  [Time_.new(1_700_000_000, 1000), { 'MESSAGE' => 'SYSCALL ...', 'AUDIT_ID' => '7', 'key' => 'exec',
                                      'severity' => 'INFO', 'id' => 'abc' }],
  [Time_.new(1_700_000_000, 2000), { 'MESSAGE' => 'EOE' }]
].freeze

def write(output, *answers)
  SEEN.clear
  ANSWERS.replace(answers)
  output.write(RECORDS)
  'done'
rescue Fluent::UnrecoverableError
  'put aside'
rescue StandardError => e
  "again: #{e.message}"
end

output = plugin
is write(output), 'done', 'a chunk is written'
sent = JSON.parse(SEEN.last[:body])
is sent['logName'], 'projects/p-1/logs/linux-auditd', 'to the log linux-auditd of the project of the node'
is sent['resource'], { 'type' => 'k8s_node', 'labels' => { 'cluster_name' => 'c-1', 'location' => 'europe-west1',
                                                           'node_name' => 'node-1' } },
   'on the resource k8s_node, with cluster and location from the metadata server'
is sent['partialSuccess'], true, 'valid entries do not wait for invalid ones'
is sent['entries'], [
  { 'timestamp' => '2023-11-14T22:13:20.000001000Z', 'severity' => 'INFO', 'insertId' => 'abc',
    'labels' => { 'key' => 'exec' }, 'jsonPayload' => { 'MESSAGE' => 'SYSCALL ...', 'AUDIT_ID' => '7' } },
  { 'timestamp' => '2023-11-14T22:13:20.000002000Z', 'severity' => 'DEFAULT', 'jsonPayload' => { 'MESSAGE' => 'EOE' } }
], 'key is a label, severity and id are the entry\'s, the rest is the payload, the time is the journal\'s'
is SEEN.last[:head]['authorization'], 'Bearer the-token', 'as the identity that the metadata server gives'
is RECORDS[0][1]['key'], 'exec', 'the record in the buffer stays whole, to be sent again'
output.write([[RECORDS[0][0], { 'syscall' => 'execve', 'key' => 'mine' }], [RECORDS[0][0], { 'syscall' => 'openat', 'key' => 'mine' }],
              [RECORDS[0][0], { 'syscall' => 'execveat' }]])
is JSON.parse(SEEN.last[:body])['entries'].map { |e| e['labels'] }, [{ 'key' => 'mine', 'group' => 'exec' }, { 'key' => 'mine' }, { 'group' => 'exec' }],
   'a program started is found by its group, whatever the key of the rule that took it'
SEEN.clear
write(output)
is SEEN.map { |s| s[:path] }, ['/v2/entries:write'], 'the metadata server is not asked again for every chunk'

[401, 403, 404, 408, 429, 500, 503].each do |code|
  ok write(output, [code, '{}']).start_with?('again: Cloud Logging: '), "#{code}: tried again"
end
write(output, [401, '{}'])
write(output)
is SEEN[0][:path], '/computeMetadata/v1/instance/service-accounts/default/token', '401: with a new token'
is write(output, [400, '{"error":{"message":"too large"}}']), 'put aside',
   '400: the chunk is put aside, and does not hold up the others'
is write(output, [400, 'no JSON']), 'put aside', '400 without an answer that can be read: likewise'

def partial(code, *statuses)
  errors = statuses.each_with_index.to_h { |s, i| [i.to_s, { 'code' => s, 'message' => "status #{s}" }] }
  [code, JSON.generate('error' => { 'code' => code, 'details' => [
                         { '@type' => 'type.googleapis.com/google.logging.v2.WriteLogEntriesPartialErrors',
                           'logEntryErrors' => errors }
                       ] })]
end
is write(output, partial(400, 3)), 'done', 'an invalid entry: the others are written, the chunk is done with'
ok output.log.lines.last.include?('status 3'), '... and the log says why'
kept = Dir.glob("#{INVALID}/*").to_h { |file| [file, File.readlines(file).map { |line| JSON.parse(line) }] }
is kept.values.flatten.map { |e| [e['status']['code'], e['entry']['insertId'], e['entry']['jsonPayload']['AUDIT_ID']] }, [[3, 'abc', '7']],
   '... the entry is kept as it was sent, with what was said of it'
is kept.keys.map { |file| File.stat(file).mode & 0o777 }, [0o600], '... for root alone'
File.rename(INVALID, "#{INVALID}.old")
File.write(INVALID, '')
ok write(output, partial(400, 3)).start_with?('again'), '... and where it cannot be kept, it is tried again'
File.delete(INVALID)
ok write(output, partial(403, 7, 7)).start_with?('again'), 'entries refused for a missing role: tried again'
ok write(output, partial(400, 3, 7)).start_with?('again'), '... also beside an invalid one'

ok write(plugin('metadata_url' => 'http://127.0.0.1:1')).start_with?('again'), 'no metadata server: tried again'
ok write(plugin('logging_url' => 'http://127.0.0.1:1')).start_with?('again'), 'no Cloud Logging: tried again'
begin
  plugin('node_name' => '')
  ok false, 'without the name of the node it does not start'
rescue Fluent::ConfigError
  ok true, 'without the name of the node it does not start'
end
is JSON.parse((write(plugin('project_id' => 'other')); SEEN.last[:body]))['logName'], 'projects/other/logs/linux-auditd',
   'another project can be named'
puts "1..#{$n}"
