# One event, one entry: the records of an event as one object. k8s/entry.schema.json says what is in it.
require_relative 'audit_arguments'
require_relative 'audit_record'

class AuditEntry
  FORMAT = 1
  # The text of so many records becomes one entry: with each byte written as \u0000 it is still below the 256 kB that
  # Cloud Logging takes. More is cut between two records.
  CUT = 75_000
  # Types that have a place of their own, whatever else is there.
  OWN_PLACE = AuditTable::PLACE.reject { |_, place| place == 'nested' }.freeze
  # Names that a record's field at the top must not have.
  OWN_NAMES = %w[format event host part type severity id argv argc argv_at argv_piece argv_length paths sockaddr records
                 class container text left_out].freeze
  WARNING_TYPES = /\A(?:ANOM_|INTEGRITY_(?!RULE|POLICY_RULE)|USER_SELINUX_ERR|SELINUX_ERR)/.freeze
  # Types whose res= is the answer to somebody who asked for access or for a change.
  RESULT_TYPES = /\A(?:USER_AUTH|USER_ACCT|USER_LOGIN|USER_ERR|CRED_ACQ|CONFIG_CHANGE|FEATURE_CHANGE)\z/.freeze

  # The entries of an event: one, or several where it is too large. `records` are [type, text] each, in order, the
  # first of them the event's record number `first`; `whole`: these are all.
  def self.all(event, records, first, whole)
    parts(records, first, whole) { |part, at| new(event, part, at).to_h }
  end

  # The same without a look into the records: of an event that `all` fails on.
  def self.bare(event, records, first, whole)
    parts(records, first, whole) do |part, at|
      { 'format' => FORMAT, 'event' => event, 'part' => at, 'type' => part.map(&:first),
        'records' => part.map { |type, text| { 'type' => type, 'text' => text } }, 'severity' => 'WARNING',
        'id' => "#{event}-#{at || 0}" }.compact
    end
  end

  # at: the index of a part's first record; nil: it has all.
  def self.parts(records, first, whole)
    cut = cut(records)
    parts = cut.size > 1 || first.positive? || !whole
    cut.map do |part|
      entry = yield part, parts ? first : nil
      first += part.size
      entry
    end
  end
  private_class_method :parts

  # The same cuts for the same records.
  def self.cut(records)
    size = 0
    records.slice_when do |(_, before), (_, text)|
      size += before.bytesize
      next false if size + text.bytesize <= CUT

      size = 0
      true
    end.to_a
  end

  # part: the index of its first record; nil: all are there.
  def initialize(event, records, part)
    @top = {}
    @paths = []
    @nested = []
    @arguments = nil
    @syscall = records.any? { |type, _| type == 'SYSCALL' }
    @severity = 'INFO'
    records.each { |type, text| add(type, text) }
    @entry = { 'format' => FORMAT, 'event' => event }
    @entry['part'] = part if part
    @entry['type'] = types(records)
    @id = "#{event}-#{part || 0}"
  end

  def to_h
    @top.delete('items') if @top['items'] == @paths.size
    @arguments&.add_to(@top)
    @top.delete('proctitle') if @arguments && @top['proctitle'] == @arguments.title
    @entry.merge!(@top)
    @entry['paths'] = @paths unless @paths.empty?
    @entry['records'] = @nested unless @nested.empty?
    @entry['severity'] = @severity
    @entry['id'] = @id
    @entry
  end

  private

  def add(type, text)
    case type
    when 'EXECVE'
      arguments = (@arguments ||= AuditArguments.new)
      nested(type, { 'text' => text }) unless arguments.add(text)
    when 'PATH' then @paths << AuditRecord.fields(type, text, @paths.size)
    else place(type, AuditRecord.fields(type, text))
    end
    note_severity(type, text) unless OWN_PLACE.key?(type)
  end

  # At the top, where nothing else is called so; else in the list.
  def place(type, fields)
    return nested(type, fields) if fields.key?('text')

    if type == 'SOCKADDR' then address(type, fields)
    elsif top?(type) && fields.keys.none? { |name| OWN_NAMES.include?(name) || @top.key?(name) }
      @first = type unless OWN_PLACE.key?(type)
      @top.merge!(fields)
    else nested(type, fields)
    end
  end

  def top?(type)
    OWN_PLACE.key?(type) || (!@syscall && !@first && @nested.empty? && AuditTable::PLACE[type] != 'nested')
  end

  def address(type, fields)
    return nested(type, fields) if @top.key?('sockaddr')

    @top['sockaddr'] = fields['saddr']
  end

  def nested(type, fields)
    @nested << { 'type' => type }.merge!(fields)
  end

  # Each once where those of a type follow each other; all where one comes back. EXECVE is one.
  def types(records)
    all = records.map(&:first)
    runs = all.chunk_while { |a, b| a == b }.map(&:first)
    return runs if runs.uniq.size == runs.size

    all.chunk_while { |a, b| a == 'EXECVE' && b == a }.map(&:first)
  end

  def note_severity(type, text)
    found = severity(type, text)
    @severity = found if found == 'WARNING' || (found && @severity == 'INFO')
  end

  # nil: nothing special.
  def severity(type, text)
    case type
    when WARNING_TYPES then 'WARNING'
    when 'AVC', 'USER_AVC', 'APPARMOR_DENIED'
      if text.match?(/\bapparmor="DENIED"|\bdenied\b/) || type == 'APPARMOR_DENIED' then 'WARNING'
      elsif text.include?('apparmor="STATUS"') then 'NOTICE'
      end
    when RESULT_TYPES
      if text.match?(/\bres=(?:0|failed)\b/) then 'WARNING'
      elsif type.end_with?('_CHANGE') then 'NOTICE'
      end
    end
  end
end
