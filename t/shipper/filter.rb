# Records as JSON, one a line, through the filter.
require 'json'
require_relative 'fluent'
filter = Fluent::Plugin::LinuxAuditFilter.new
$stdin.each_line do |line|
  record = JSON.parse(line)
  # \xHH stands for a byte, which JSON cannot carry.
  record.transform_values! { |v| v.is_a?(String) ? v.b.gsub(/\\x(\h\h)/) { [Regexp.last_match(1)].pack('H2') } : v }
  puts JSON.generate(filter.filter('linux-auditd', nil, record))
end
