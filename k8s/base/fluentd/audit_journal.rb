# The audit records of a node's journal, from a cursor on.
require 'systemd/journal'
require_relative 'audit_text'

class AuditJournal
  Record = Struct.new(:event, :type, :text, :time, :came)

  HEAD = ''.freeze
  # What is read of a damaged file may be anything.
  NUMBER = /\A\d{1,20}\z/n.freeze
  BOOT = /\A\h{32}\z/n.freeze

  # When the first record was written that the journal still has, in seconds; nil: it has none.
  def self.begins(path)
    journal = Systemd::Journal.new(path: path)
    journal.filter('_TRANSPORT' => 'audit')
    journal.seek(:head)
    journal.move_next ? journal.read_field('_SOURCE_REALTIME_TIMESTAMP').to_i / 1e6 : nil
  ensure
    journal&.close
  end

  # path: the directory of the journal. After `cursor`; HEAD: from the first entry.
  def initialize(path, cursor, log)
    @log = log
    @journal = Systemd::Journal.new(path: path)
    # A trusted field: no program can write it. (SYSLOG_IDENTIFIER=audit every program can.)
    @journal.filter('_TRANSPORT' => 'audit')
    @at = cursor
    @time = 0
    seek(cursor)
  end

  # The next record; nil: there is none yet.
  def next
    while @again || @journal.move_next
      @again = false
      record = read
      return record if record
    end
  end

  # Of the record that `next` gave last, or the cursor that was begun with.
  def cursor
    @moved ? @journal.cursor : @at
  end

  # Files that came, and that were deleted. With that of what was read last its cursor goes, too.
  def look
    @at = cursor
    @moved = false
    @journal.wait(0)
  end

  # Where the record that `next` gave last is: -1 before, 0 at, 1 after a cursor; 1 where that cannot be told. As libsystemd
  # puts entries in order: by their number in one sequence of files, else by the clock of the boot. Of two boots `before` tells,
  # those that were read before that of the cursor: the node's clock may have been set back between them.
  def compare(cursor, before = [])
    here = @journal.cursor
    return 0 if here == cursor

    here, there = fields(here), fields(cursor)
    by = same?(here, there, 's') ? 'i' : same?(here, there, 'b') ? 'm' : 'b'
    return 1 unless here[by] && there[by]
    return before.include?(here['b']) ? -1 : 1 if by == 'b'

    order = here[by].to_i(16) <=> there[by].to_i(16)
    order.zero? ? 1 : order
  end

  def close = @journal.close

  private

  def fields(cursor) = cursor.scan(/(\w)=(\h+)/).to_h

  def same?(here, there, name) = here[name] == there[name]

  # An entry that is no longer there is looked for by its time: what follows then is new, and must not be skipped.
  def seek(cursor)
    return @journal.seek(:head) if cursor == HEAD

    @journal.seek(cursor)
    return unless @journal.move_next

    @again = !@journal.cursor?(cursor)
    @moved = true
    @log.warn 'the journal has no longer what was read last: records in between may be lost', cursor: cursor if @again
  end

  # Two or three fields, and no others: reading is what costs most.
  def read
    @moved = true
    type, text = AuditText.text(@journal.read_field('MESSAGE')).split(' ', 2)
    number = @journal.read_field('_AUDIT_ID')
    return damaged('no type, or no number') unless type && number.match?(NUMBER)

    boot = boot_of(@journal.read_field('_BOOT_ID'))
    id = "#{boot}-#{number}"
    note_time unless id == @id
    @id = id
    Record.new(id, type, text || '', @time, came)
  rescue Systemd::JournalError => e
    damaged(e.message)
  end

  # When journald had it, in microseconds. The gem tells it in this way, or with all fields.
  def came = @journal.cursor[/;t=(\h+)/, 1].to_i(16)

  # All records of a boot have one field, which may be damaged; each has a cursor.
  def boot_of(field) = field == @last || field.match?(BOOT) ? @last = field : fields(@journal.cursor)['b']

  def note_time
    time = @journal.read_field('_SOURCE_REALTIME_TIMESTAMP').to_i
    @time = time if time.positive?
  end

  def damaged(why)
    @log.warn 'a record of the journal cannot be read', error: why, cursor: @journal.cursor
    nil
  end
end
