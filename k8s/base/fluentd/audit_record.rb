# The text of one audit record as fields, by the rows of audit_table.rb: see k8s/entry.table.
require_relative 'audit_table'
require_relative 'audit_text'

module AuditRecord
  # The raw values that a kind has: the rest of a row's pattern.
  RAW = {
    'int' => '(-?(?:0|[1-9][0-9]{0,14}))', 'word' => '([^\s"\']*(?: \([\w-]+\))?)', 'arch' => '([0-9a-f]+)',
    'name' => '("[\x21\x23-\x7e]*"|[0-9A-F]+|\?)', 'phrase' => '([^"\']*)',
    'string' => '("[\x21\x23-\x7e]*"|[0-9A-F]+|\(null\))', 'key' => '("[\x21\x23-\x7e]*"|[0-9A-F]+|\(null\))',
    'quoted' => '"([^"]*)"', 'data' => '([0-9A-F]*)', 'call' => '([0-9]+)', 'exit' => '(-?(?:0|[1-9][0-9]{0,14}))',
    'saddr' => '([0-9A-F]{4,})', 'title' => '("[\x21\x23-\x7e]*"|[0-9A-F]+|\(null\))', 'msg' => "'(.*)'", 'args' => '(.*)'
  }.freeze
  UNSET = '4294967295'.freeze
  Row = Struct.new(:name, :kind, :usual, :same)

  # Rows of one type and the pattern of its text.
  class Type
    attr_reader :rows, :pattern, :arch

    def initialize(rows)
      names = rows.map(&:first)
      @rows = rows.map do |name, kind, usual|
        usual = UNSET if usual == 'unset'
        usual = '(null)' if %w[string key title].include?(kind)
        Row.new(name, kind.to_sym, usual, usual&.start_with?('@') ? names.index(usual[1..]) : nil)
      end
      fields = rows.map { |name, kind| "(?: #{Regexp.escape(name)}=#{RAW.fetch(kind)})?" }
      @arch = names.index('arch')
      # A blank before the first name, as before the others.
      @pattern = /\A#{fields.join}\z/
    end
  end

  TYPES = AuditTable::ROWS.except('EXECVE', '*', 'msg').transform_values { |rows| Type.new(rows) }.freeze
  # By name the kind and the place of the rows that are for any type, and for what programs send.
  ANY, MSG = %w[* msg].map do |type|
    AuditTable::ROWS[type].each_with_index.to_h { |(name, kind), i| [name, [kind.to_sym, i, /\A#{RAW.fetch(kind)}\z/]] }
  end
  FIELD = /([A-Za-z][\w.\[\]-]*)=("[^"]*"|.*?)(?= [A-Za-z][\w.\[\]-]*=|\z)/m.freeze

  OURS = %w[type text order head msg keys].freeze
  NOTHING = { string: '(null)', key: '(null)', name: '?' }.freeze

  # The fields of a record: a hash, with `text` alone where the text is none that can be made again of fields.
  # `item` is the place of a PATH record among those of its entry.
  def self.fields(type, text, item = 0)
    case type
    when 'EXECVE' then { 'text' => text }
    else known(TYPES[type] || TYPES['USER'], text, item) || (TYPES[type] ? nil : any(text)) || { 'text' => text }
    end
  end

  def self.known(type, text, item)
    match = type.pattern.match(" #{text}")
    return unless match

    raw = match.captures
    fields = {}
    arch = type.arch && raw[type.arch]
    type.rows.each_with_index do |row, i|
      value = raw[i]
      if value.nil?
        # It is not there, and would be taken for usual.
        fields[row.name] = nil if row.usual
        next
      end
      next if row.usual && usual?(row, value, raw, item)

      add(fields, row, value, arch) or return
    end
    fields
  end

  def self.usual?(row, value, raw, item)
    return value == raw[row.same] if row.same
    return value == item.to_s if row.usual == '#item'

    value == row.usual
  end

  def self.add(fields, row, value, arch)
    return fields.merge!(program(value, fields)) if row.kind == :msg

    decoded = decode(row.kind, value, arch)
    put(fields, row.name, row.kind, decoded) unless decoded.nil?
  end

  # One key is `key`, several are `keys`.
  def self.put(fields, name, kind, value)
    return fields[name] = value unless kind == :key

    value.size == 1 ? fields['key'] = value[0] : fields['keys'] = value
  end

  # nil for a value that nobody writes so.
  def self.decode(kind, value, arch)
    case kind
    when :int then value.to_i
    when :string, :name then AuditText.string(value)
    when :arch then AuditTable::ARCH[value] || value
    when :call then AuditTable::NAMES.dig(AuditTable::ARCH[arch] || '', value.to_i) || value.to_i
    when :exit then error(value)
    when :key then AuditText.string(value)&.split("\u0001", -1)
    when :saddr then AuditText.sockaddr(value)
    when :title then AuditText.bytes(value)&.split("\0", -1)&.map { |a| AuditText.text(a) }
    when :data then AuditText.text([value].pack('H*'))
    else value
    end
  end

  def self.error(value)
    number = value.to_i
    number.negative? && AuditTable::NAMES['errno'][-number] || number
  end

  # What a program wrote: its fields, or `msg`, the text, where they cannot be told from the record's or are in
  # another order than the rows'.
  def self.program(text, outer)
    found = pairs(text) or return { 'msg' => text }
    places = found.map { |name, _| MSG[name] && MSG[name][1] }
    return { 'msg' => text } if places.include?(nil) || places != places.sort || found.any? { |name, _| outer.key?(name) }

    named(found, MSG) || { 'msg' => text }
  end

  # name=value, a blank between them; nil for any other text, and where a name comes twice or is one of ours.
  def self.pairs(text)
    found = text.scan(FIELD)
    names = found.map(&:first)
    found if found.map { |pair| pair.join('=') }.join(' ') == text && names.uniq.size == names.size && (names & OURS).empty?
  end

  def self.any(text)
    head = text[/\A[\w ]*?(?= [A-Za-z][\w.\[\]-]*=)/]
    found = pairs(head ? text.byteslice((head.bytesize + 1)..) : text) or return
    fields = named(found, ANY) or return
    fields['order'] = found.map(&:first).join(' ')
    head ? { 'head' => head }.merge(fields) : fields
  end

  def self.named(found, rows)
    arch = found.assoc('arch')&.last
    found.each_with_object({}) do |(name, value), fields|
      kind, _place, pattern = rows[name]
      # Without a row, quotes and all.
      next fields[name] = value unless kind
      next fields[name] = nil if value == NOTHING[kind]

      match = pattern.match(value) or return
      decoded = decode(kind, match[1], arch)
      return if decoded.nil?

      put(fields, name, kind, decoded)
    end
  end
end
