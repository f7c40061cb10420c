# mapping.rb ENTRIES: whether Elasticsearch could refuse an entry by the index templates that forward/elasticsearch brings: each
# field of k8s/entry.table has its type, one that takes whatever the table lets it be, and all the entries in the file fit, as
# they are and as the components sigma and ecs make them. TAP.
require 'json'
require_relative 'fluent'
require_relative 'tap'

ELASTICSEARCH = "#{COMPONENTS}/forward/elasticsearch".freeze
PLAIN, ECS = %w[template template-ecs].map { |name| JSON.parse(File.read("#{ELASTICSEARCH}/#{name}.json")) }
# What takes numbers and words.
ANY = %w[keyword flattened].freeze
# In JSON, of a kind of the table.
NUMBERS = %w[int].freeze
BOTH = %w[exit call].freeze

def properties(template) = template.dig('template', 'mappings', 'properties')
def leaves(properties, above = '')
  properties.flat_map { |name, is| is['properties'] ? leaves(is['properties'], "#{above}#{name}.") : [["#{above}#{name}", is]] }
end

# Why a document would be answered 400, as Elasticsearch reads it: of fields that are mapped alone, since nothing is mapped by itself.
def refused(value, is, at)
  return value.flat_map { |v| refused(v, is, at) } if value.is_a?(Array)
  return [] if value.nil? || is.nil? || is['enabled'] == false || (is['type'] == 'flattened' && value.is_a?(Hash))
  return value.is_a?(Hash) ? value.flat_map { |k, v| refused(v, is['properties'][k], "#{at}.#{k}") } : ["#{at}: #{value} is no object"] if is['properties']
  return ["#{at}: an object"] if value.is_a?(Hash) || is['type'] == 'flattened'

  []
end
def all_refused(entry, template) = entry.flat_map { |name, value| refused(value, properties(template)[name], name) }
# What the index takes, and does not find by: words where a number is asked for.
def malformed(value, is, at)
  return value.flat_map { |v| malformed(v, is, at) } if value.is_a?(Array)
  return is['properties'] ? value.flat_map { |k, v| malformed(v, is['properties'][k], "#{at}.#{k}") } : [] if value.is_a?(Hash) && is

  is && is['type'] == 'long' && !value.nil? && !value.is_a?(Integer) ? ["#{at}: #{value}"] : []
end

# --- the templates themselves ---
is([PLAIN, ECS].map { |t| t.dig('template', 'mappings', 'dynamic') }, [false, false], 'no name that comes in a record becomes a field: there is no limit to reach')
is([PLAIN, ECS].map { |t| t.dig('template', 'settings', 'index', 'mapping', 'ignore_malformed') }, [true, true], 'a number that is none keeps no entry out')
is([PLAIN, ECS].flat_map { |t| leaves(properties(t)) }.reject { |_, is| !ANY.include?(is['type']) || is['ignore_above'] == 8191 }, [],
   'no text is too long to be taken: 8,191 characters have less than the 32,766 bytes of a term')
is([PLAIN, ECS].map { |t| [t['index_patterns'], t['priority']] }, [[['linux-auditd-*'], 500], [['linux-auditd-ecs-*'], 501]],
   'of two templates that fit a name Elasticsearch takes the one that is meant')

# --- each field of the table ---
# The entry's own names are not those of a record at the top.
rows = File.readlines("#{__dir__}/../../k8s/entry.table").grep_v(/^\s*(#|$)/).map(&:split).reject { |row| row[0] == 'place' }
top, path = [rows.reject { |type, *| %w[EXECVE SOCKADDR PATH].include?(type) }, rows.select { |type, *| type == 'PATH' }].map do |list|
  list.group_by { |row| row[1] }.transform_values { |same| same.map { |row| row[2] }.uniq }
end
top = top.except(*AuditEntry::OWN_NAMES)
ambiguous = top.select { |_, kinds| kinds.intersect?(BOTH) || (kinds.intersect?(NUMBERS) && kinds.size > 1) }.keys
is(ambiguous.sort, %w[error exit res syscall], 'what is a number in one record and a word in another is known')
is(ambiguous.reject { |name| properties(PLAIN).dig(name, 'type') == 'keyword' }, [], '... and is a keyword, which takes both')
wrong = lambda do |fields, has|
  fields.reject { |name, kinds| has.dig(name, 'type') == (kinds == NUMBERS ? 'long' : 'keyword') }.keys
end
is(wrong.call(top, properties(PLAIN)), [], 'each field of entry.table has its type in template.json')
is(wrong.call(path, properties(PLAIN)['paths']['properties']), [], '... of a path, too')
schema = JSON.parse(File.read("#{__dir__}/../../k8s/entry.schema.json"))['properties']
is(schema.keys - properties(PLAIN).keys, [], '... and each of entry.schema.json')
is(%w[container sockaddr].flat_map { |name| schema[name]['properties'].keys - properties(PLAIN)[name]['properties'].keys }, [], '... of its objects, too')
asked = File.readlines("#{__dir__}/sigma-fields").grep_v(/^#/).flat_map { |line| line.split.drop(2) }
is(asked - properties(PLAIN).keys, [], '... and each that Sigma\'s rules ask for')
to = Fluent::Plugin::LinuxAuditEcsFilter
is((to::FIELDS.values + to::CONTAINER.values) - leaves(properties(ECS)).map(&:first), [], 'each field that the component ecs makes has its type in template-ecs.json')

# --- entries ---
entries = -> { File.readlines(ARGV[0]).map { |line| JSON.parse(line) } }
MANY = { 'format' => 1, 'event' => 'e', 'type' => %w[SYSCALL EXECVE], 'uid' => 0, 'pid' => 1, 'argv' => (0..2000).map { |i| "argument#{i}" } }.freeze
plain, sigma, ecs = [nil, Fluent::Plugin::LinuxAuditSigmaFilter.new, to.new].map do |filter|
  [*entries.call, JSON.parse(JSON.generate(MANY))].map { |entry| filter ? filter.filter('linux-auditd', nil, entry) : entry }
end
{ 'entries' => [plain, PLAIN], 'sigma' => [sigma, PLAIN], 'ecs' => [ecs, ECS] }.each do |name, (list, template)|
  is(list.flat_map { |entry| all_refused(entry, template) }.uniq, [], "#{name}: none of #{list.size} is refused")
  is(list.flat_map { |entry| entry.flat_map { |field, value| malformed(value, properties(template)[field], field) } }.uniq, [], "#{name}: ... and each number is one")
end
is(sigma.last.keys.grep(/\Aa\d+\z/).size, 2001, 'an argument is a field, with sigma')
is(properties(PLAIN).keys.grep(/\Aa\d+\z/), %w[a0 a1 a2 a3 a4 a5 a6 a7], '... of which the index has those that rules ask for')
is([all_refused({ 'exit' => { 'a' => 1 } }, PLAIN), all_refused({ 'host' => 'n' }, ECS), all_refused(ecs.last, PLAIN).empty?], [['exit: an object'], ['host: n is no object'], false],
   'what would be refused is found when it is planted')
puts "1..#{$n}"
