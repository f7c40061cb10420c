# What keeps refused chunks within their limit, on a directory here: TAP.
require 'fileutils'
require 'tmpdir'
require_relative 'fluent'

$n = 0
def is(got, want, name)
  puts "#{got == want ? 'ok' : 'not ok'} #{$n += 1} - #{name}"
  puts "# got #{got.inspect}", "# not #{want.inspect}" unless got == want
end

Dir.mktmpdir do |dir|
  path = "#{dir}/backup"
  chunks = "#{path}/worker0/cloud_logging"
  put = lambda do |name, size, age|
    FileUtils.mkdir_p(chunks)
    File.write("#{chunks}/#{name}", 'x' * size)
    File.utime(Time.now - age, Time.now - age, "#{chunks}/#{name}")
  end
  names = -> { Dir.children(chunks).sort.join(' ') }
  metrics = -> { Prometheus::Client.registry.metrics.values.map(&:value) }

  input = Fluent::Plugin::ChunkBackupInput.new
  input.configure('path' => path, 'limit' => 100)
  input.start
  is(metrics.call, [0, 0, 0], 'without the directory there is nothing, and that is said')
  put.call('b.log', 40, 20)
  put.call('a.log', 40, 10)
  input.tick
  is([names.call, metrics.call], ['a.log b.log', [80, 2, 0]], 'within the limit all are kept, and counted')
  put.call('c.log', 60, 5)
  input.tick
  is([names.call, metrics.call], ['a.log c.log', [100, 2, 1]], 'beyond it the oldest goes')
  is(input.log.lines.grep(/b\.log/).size, 1, '... with a message')
  put.call('d.log', 101, 1)
  input.tick
  is([names.call, metrics.call], ['', [0, 0, 4]], 'one that is larger than the limit goes, too')
  File.symlink('/etc/passwd', "#{chunks}/link")
  put.call('e.log', 10, 1)
  input.tick
  is([names.call, metrics.call], ['e.log link', [10, 1, 4]], 'what is no file is left alone, and not followed')
  again = Fluent::Plugin::ChunkBackupInput.new
  again.configure('path' => path, 'limit' => 100)
  again.start
  is(metrics.call, [10, 1, 4], 'a second start in one process goes on counting')
  File.singleton_class.alias_method(:real_delete, :delete)
  File.define_singleton_method(:delete) { |file| raise Errno::EROFS, file }
  put.call('f.log', 200, 1)
  input.tick
  is(input.log.lines.grep(/cannot be looked after.*Read-only/).size, 1, 'what cannot be deleted is an error that is said')
  File.singleton_class.alias_method(:delete, :real_delete)
  input.tick
  is([names.call, metrics.call], ['link', [0, 0, 6]], '... and is tried again')
end
puts "1..#{$n}"
