# Bytes as text, and the values of audit records that stand for bytes. All of it can be turned back.
module AuditText
  # What the kernel, and libaudit, would have written in hexadecimal.
  ENCODED = /[^\x21\x23-\x7e]/n.freeze

  # UTF-8 of any bytes. One that belongs to no character becomes U+E000 + byte, and so do those of the characters
  # U+E000 to U+E0FF themselves.
  def self.text(bytes)
    text = bytes.dup.force_encoding(Encoding::UTF_8)
    return text if text.ascii_only?
    return text if text.valid_encoding? && !text.match?(/[\u{E000}-\u{E0FF}]/)

    text.each_char.map { |c| c.valid_encoding? && !c.between?("\u{E000}", "\u{E0FF}") ? c : escape(c) }.join
  end

  def self.escape(bytes)
    bytes.each_byte.map { |b| 0xE000 + b }.pack('U*')
  end

  # The bytes of an untrusted value, "in quotes" or in hexadecimal; nil for one that nobody writes so.
  def self.bytes(raw)
    return raw.byteslice(1, raw.bytesize - 2) if raw.start_with?('"')

    bytes = [raw].pack('H*')
    bytes if raw.bytesize.even? && bytes.match?(ENCODED)
  end

  # The same as text.
  def self.string(raw)
    bytes = bytes(raw)
    bytes && text(bytes)
  end

  # family, address and port of a struct sockaddr in hexadecimal. `saddr` stays beside them where they do not tell
  # all of it.
  def self.sockaddr(raw)
    bytes = [raw].pack('H*')
    number = bytes.unpack1('S<')
    family = AuditTable::NAMES['family'][number]
    return { 'saddr' => raw } unless family

    address = { 'family' => family }.merge(send("#{READABLE.include?(family) ? family : 'other'}_address", bytes))
    address['saddr'] = raw unless saddr(address) == raw
    address
  end

  READABLE = %w[unix inet inet6 netlink].freeze

  def self.inet_address(bytes)
    port, *address = bytes.unpack('x2 n C4')
    address.compact.size == 4 ? { 'address' => address.join('.'), 'port' => port } : {}
  rescue ArgumentError
    {}
  end

  def self.inet6_address(bytes)
    return {} if bytes.bytesize < 24

    port, flow, *groups = bytes.unpack('x2 n N n8')
    found = { 'address' => inet6_text(groups), 'port' => port }
    found['flow'] = flow unless flow.zero?
    scope = bytes.unpack1('x24 V').to_i if bytes.bytesize >= 28
    found['scope'] = scope if scope && !scope.zero?
    found
  end

  # RFC 5952: the first of the longest runs of zeros is left out, if it is longer than one.
  def self.inet6_text(groups)
    run = (0..7).flat_map { |from| (from..7).map { |to| [from, to] } }
                .select { |from, to| to > from && groups[from..to].all?(&:zero?) }.max_by { |from, to| [to - from, -from] }
    text = groups.map { |g| g.to_s(16) }
    return text.join(':') unless run

    "#{text[0...run[0]].join(':')}::#{text[(run[1] + 1)..].join(':')}"
  end

  def self.netlink_address(bytes)
    return {} if bytes.bytesize < 12

    pid, groups = bytes.unpack('x4 V2')
    { 'pid' => pid, 'groups' => groups }
  end

  # A path ends at its first \0; an abstract name begins with one and ends with the address.
  def self.unix_address(bytes)
    name = bytes.byteslice(2..)
    return { 'abstract' => text(name.byteslice(1..)) } if name.start_with?("\0") && name.match?(/[^\0]/n)

    path = name[/\A[^\0]*/n]
    found = { 'path' => text(path) }
    found['length'] = bytes.bytesize unless bytes.bytesize == path.bytesize + 3
    found
  end

  def self.other_address(_bytes) = {}

  # The hexadecimal again.
  def self.saddr(address)
    family = [AuditTable::NAMES['family'].key(address['family'])].pack('S<')
    bytes =
      case address['family']
      when 'inet' then address['address'] && [address['port'], *address['address'].split('.').map(&:to_i)].pack('n C4 x8')
      when 'inet6' then address['address'] && inet6_bytes(address)
      when 'netlink' then address['pid'] && [address['pid'], address['groups']].pack('x2 V2')
      when 'unix' then unix_bytes(address)
      end
    bytes ? (family + bytes).unpack1('H*').upcase : nil
  end

  def self.inet6_bytes(address)
    head, tail = address['address'].split('::', 2).map { |half| half.split(':').map { |g| g.to_i(16) } }
    groups = tail ? head + ([0] * (8 - head.size - tail.size)) + tail : head
    [address['port'], address['flow'].to_i, *groups, address['scope'].to_i].pack('n N n8 V')
  end

  def self.unix_bytes(address)
    return "\0".b + original(address['abstract']) if address['abstract']

    path = original(address['path'])
    path.ljust((address['length'] || (path.bytesize + 3)) - 2, "\0")
  end

  # What `text` was made of.
  def self.original(text)
    return text.b unless text.match?(/[\u{E000}-\u{E0FF}]/)

    text.each_char.map { |c| c.between?("\u{E000}", "\u{E0FF}") ? (c.ord - 0xE000).chr : c.b }.join.b
  end
end
