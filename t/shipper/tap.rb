$stdout.sync = true
# TAP.
$n = 0
def is(got, want, name)
  puts "#{got == want ? 'ok' : 'not ok'} #{$n += 1} - #{name}"
  puts "# got #{got.inspect[0, 2000]}", "# not #{want.inspect[0, 2000]}" unless got == want
end
