# Puts the records of an event together, which come in the kernel's order with those of other events between them.
# Nothing in the journal ends an event: it is whole when as many PATH records are there as its SYSCALL's items= says
# (and PROCTITLE after them, on a node that has such), when a program sent it, or when its time is over. What comes
# later is a part of its own, which goes on counting where the event ended.
class AuditEvents
  # In the journal's own time, and where nothing more comes, since the last record has arrived: so the same journal makes the
  # same events, at whatever speed it is read. Measured from an event's first record to its last: 0.7 s in 999 of 1,000,
  # 2.7 s at most.
  SETTLED = 1.0
  MISSING = 4.0
  # In microseconds, more than events overtake each other: the clock was set back.
  BACK = 5_000_000
  # Held at a time, and ended events whose number of records is remembered.
  HELD = 2048
  ENDED = 4096
  # Ended events that are saved: all to which something is missing, and those that something may still belong to.
  SAVED = 64
  # So many events without a kind of record, and none waits for it any more.
  PATIENCE = 256

  NONE = [].freeze
  Event = Struct.new(:id, :written, :records, :first, :items, :paths, :from, :whole, :at)

  attr_reader :held

  # saved: what `saved` gave an earlier one.
  def initialize(saved = {})
    @held = {}
    @ended = (saved['ended'] || {}).to_h { |id, count| [id, count] }
    @broken = (saved['broken'] || {}).to_h { |id, count| [id, count] }
    @expect = { 'PATH' => PATIENCE, 'PROCTITLE' => 0 }.merge(saved['expect'] || {})
    @written = 0
  end

  # Before the first record of another boot is added: the events that are held, of which nothing comes any more.
  def boot(id)
    return [] if id == @boot

    @boot = id
    give_up(@held.values)
  end

  # Another record: its event, type, text; `written`: the event's time, in microseconds; `now`: of arrival; `from`: from where
  # on the journal has to be read again to have all of the event. Gives the events that end with it, often none.
  def add(id, type, text, written:, now:, from:)
    event = @held[id] ||= Event.new(id, written, [], first(id), 0, 0, from, true)
    @arrived = now
    @written = written if written > @written || @written - written > BACK
    @expect[type] = PATIENCE if @expect.key?(type)
    done = put(event, type, text) ? [finish(event)] : NONE
    # Of the oldest alone, which is enough: the others are looked at when it has gone.
    oldest = @held.first or return done
    over?(oldest[1]) || @held.size > HELD ? done + over : done
  end

  # Those whose time is over because nothing more has come.
  def expired(now)
    give_up(@held.each_value.select { |event| now - @arrived >= limit(event) })
  end

  # The oldest event's.
  def from
    @held.each_value.first&.from
  end

  # What another one has to know to go on.
  def saved
    { 'ended' => @ended.to_a.last(SAVED).to_h, 'broken' => @broken, 'expect' => @expect }
  end

  private

  def first(id) = @ended[id] || @broken[id] || 0

  # Whether it ends the event.
  def put(event, type, text)
    return true if type == 'EOE'

    event.records << [type, text]
    case type
    when 'SYSCALL' then event.items = text[/ items=(\d+)/, 1].to_i
    when 'PATH' then event.paths += 1
    end
    return true if type == 'PROCTITLE' || text.include?(" msg='")

    event.items.positive? && event.paths >= event.items && @expect['PROCTITLE'].zero?
  end

  def limit(event) = event.items > event.paths && @expect['PATH'].positive? ? MISSING : SETTLED

  def over?(event) = @written - event.written >= limit(event) * 1_000_000

  # From the oldest on, as many as are, and where too many are held.
  def over
    done = []
    while (_, event = @held.first) && (over?(event) || @held.size > HELD)
      done.concat(give_up([event]))
    end
    done
  end

  def give_up(events)
    events.each do |event|
      event.whole = event.paths >= event.items || @expect['PATH'].zero?
      @expect['PATH'] -= 1 if !event.whole && event.paths.zero?
      finish(event)
    end
  end

  def finish(event)
    @held.delete(event.id)
    count = event.first + event.records.size
    kept = event.whole ? @ended : @broken
    kept.delete(event.id)
    kept[event.id] = count
    @ended.shift if @ended.size > ENDED
    @broken.shift if @broken.size > SAVED
    last = event.records.last&.first
    @expect['PROCTITLE'] -= 1 if last && last != 'PROCTITLE' && event.items.positive? && @expect['PROCTITLE'].positive?
    event
  end
end
