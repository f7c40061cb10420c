# An entry's records again, as text (bytes that are none as AuditText.text has them): what k8s/entry.table promises. Of EXECVE one record, however many the kernel made.
require_relative '../../k8s/base/fluentd/audit_text'
require_relative '../../k8s/base/fluentd/audit_table'

class Restore
  ROWS = AuditTable::ROWS
  PLAIN = %w[EXECVE PATH SOCKADDR].freeze
  ENTRY = %w[format event host part type severity id argv argc argv_at argv_piece argv_length paths sockaddr records
             class container].freeze

  def initialize(entry)
    @entry = entry
    @argv = entry['argv']
    @paths = (entry['paths'] || []).each_with_index.to_a
    @nested = (entry['records'] || []).dup
    @types = entry['type']
  end

  # [type, text] each, in order.
  def records
    expanded = @types.uniq.size < @types.size
    first = top_type
    @types.flat_map do |type|
      texts = []
      loop do
        text = one(type, first) or break
        first = nil if type == first
        texts << [type, text]
        break if expanded || type == 'EXECVE'
      end
      texts
    end
  end

  private

  # Whose fields stand at the top besides those that have places of their own.
  def top_type
    return 'SYSCALL' if @types.include?('SYSCALL') && @nested.none? { |r| r['type'] == 'SYSCALL' }

    mine = @entry.keys - ENTRY - %w[cwd proctitle]
    @types.find { |t| !AuditTable::PLACE.key?(t) } unless mine.empty?
  end

  def one(type, first)
    case type
    when 'PATH'
      path, place = @paths.shift
      return path && (path['text'] || typed('PATH', path, place: place))
    when 'EXECVE'
      return @told = arguments if @argv && !@told
    when 'SOCKADDR'
      address = @entry['sockaddr'] unless @addressed
      @addressed = true
      return "saddr=#{address['saddr'] || AuditText.saddr(address)}" if address
    when 'CWD', 'PROCTITLE'
      return at_top(type) if !@used&.include?(type) && (@entry.key?(type == 'CWD' ? 'cwd' : 'proctitle') || title?(type))
    when first then return fields(type, @entry.except(*ENTRY, *(@types.include?('CWD') ? ['cwd'] : []), 'proctitle'))
    end
    i = @nested.index { |r| r['type'] == type } or return
    record = @nested.delete_at(i)
    record['text'] || fields(type, record.except('type'))
  end

  def title?(type) = type == 'PROCTITLE' && @argv && @nested.none? { |r| r['type'] == 'PROCTITLE' }

  def at_top(type)
    (@used ||= []) << type
    return "cwd=#{untrusted(@entry['cwd'])}" if type == 'CWD'

    title = @entry['proctitle'] || AuditText.original(@argv.join("\0")).byteslice(0, 128).sub(/[^\x20-\x7e\xa0-\xff]+\z/n, '').b
    "proctitle=#{untrusted(title.is_a?(Array) ? title.join("\0") : title)}"
  end

  def arguments
    ["argc=#{@entry['argc'] || @argv.size}", *@argv.map.with_index { |a, i| "a#{i}=#{untrusted(a)}" }].join(' ')
  end

  def fields(type, fields)
    return typed(type, fields) if ROWS[type] && type != 'EXECVE'

    fields.key?('order') ? any(fields) : typed('USER', fields)
  end

  def typed(type, fields, place: nil)
    rest = fields.dup
    arch = raw_arch(fields['arch'])
    texts = ROWS[type].filter_map do |name, kind, usual|
      next "msg='#{message(rest)}'" if kind == 'msg'

      has = rest.key?(name) || (kind == 'key' && rest.key?('keys'))
      value = kind == 'key' && rest.key?('keys') ? rest.delete('keys') : rest.delete(name)
      next if has && value.nil?
      next "#{name}=#{raw(kind, value, arch)}" if has

      usual = '(null)' if %w[string key title].include?(kind)
      next unless usual

      "#{name}=#{usual(usual, fields, place)}"
    end
    texts.join(' ')
  end

  def usual(usual, fields, place)
    case usual
    when 'unset' then '4294967295'
    when '#items' then (@entry['paths'] || []).size
    when '#item' then place
    when /\A@(.*)/ then owner(Regexp.last_match(1), fields)
    else usual
    end
  end

  # A field that is itself as another one.
  def owner(name, fields)
    return fields[name] if fields[name]

    row = ROWS.values_at('SYSCALL', 'PATH').flatten(1).find { |n, _| n == name }
    row[2].start_with?('@') ? owner(row[2][1..], fields) : row[2]
  end

  def message(fields)
    fields['msg'] ? fields['msg'] : list(fields, 'msg', fields.keys.sort_by { |n| ROWS['msg'].index { |r| r[0] == n } })
  end

  def any(fields)
    [fields['head'], list(fields, '*', fields['order'].split)].compact.join(' ')
  end

  def list(fields, type, order)
    order.map do |name|
      name = 'key' if name == 'keys'
      kind = ROWS[type].find { |n, _| n == name }&.[](1)
      value = fields.key?(name) ? fields[name] : fields['keys']
      next "#{name}=#{kind == 'name' ? '?' : '(null)'}" if value.nil?

      "#{name}=#{kind ? raw(kind, value, raw_arch(fields['arch'])) : value}"
    end.join(' ')
  end

  def raw(kind, value, arch)
    case kind
    when 'string', 'name' then untrusted(value)
    when 'key' then untrusted(Array(value).join("\u0001"))
    when 'quoted' then "\"#{value}\""
    when 'data' then AuditText.original(value).unpack1('H*').upcase
    when 'arch' then raw_arch(value)
    when 'call' then value.is_a?(String) ? AuditTable::NAMES[AuditTable::ARCH[arch]].key(value) : value
    when 'exit' then value.is_a?(String) ? -AuditTable::NAMES['errno'].key(value) : value
    else value
    end
  end

  def raw_arch(name) = AuditTable::ARCH.key(name) || name

  # As audit_log_untrustedstring() writes it.
  def untrusted(text)
    bytes = text.encoding == Encoding::BINARY ? text : AuditText.original(text)
    bytes.match?(/["\x00-\x20\x7f-\xff]/n) ? bytes.unpack1('H*').upcase : "\"#{bytes}\""
  end
end
