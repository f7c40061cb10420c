# Puts the records of an event together, which come in the kernel's order with those of other events between them.
# Nothing in the journal ends an event: it is whole when as many PATH records are there as its SYSCALL's items= says
# (and PROCTITLE after them, on a node that has such), when a program sent it, or when its time is over. What comes
# later is a part of its own, which goes on counting where the event ended.
class AuditEvents
  # In the journal's own time, as it goes on while an event is held, and where nothing more comes, since the last record has
  # arrived: so the same journal makes the same events, at whatever speed it is read. Measured from an event's first record
  # to its last: 0.7 s in 999 of 1,000, 2.7 s at most.
  SETTLED = 1.0
  MISSING = 4.0
  # In microseconds. Set back by less, the clock stands still until it is where it was; by more, it goes on from there.
  BACK = 5_000_000
  # Held at a time, and ended events whose number of records is remembered.
  HELD = 2048
  # Their text together, in bytes: an event may have megabytes of arguments.
  BYTES = 32_000_000
  ENDED = 4096
  # Ended events that are saved: all to which something is missing, and those that something may still belong to.
  SAVED = 512
  # So many events without a kind of record, and none waits for it any more.
  PATIENCE = 256

  NONE = [].freeze
  # began: by `@time`. at: the first record of a part, where another was sent before.
  Event = Struct.new(:id, :written, :records, :first, :items, :paths, :from, :whole, :at, :began)

  attr_reader :held

  # saved: what `saved` gave an earlier one.
  def initialize(saved = {})
    @held = {}
    @bytes = 0
    @ended = (saved['ended'] || {}).dup
    @broken = (saved['broken'] || {}).dup
    @expect = { 'PATH' => PATIENCE, 'PROCTITLE' => 0 }.merge(saved['expect'] || {})
    # Of the journal: the highest that was seen, and how far it has gone on in all.
    @written, @time = (saved['time'] || {}).values_at('written', 'time').map(&:to_i)
    # Of events that the earlier one held; and with how many records those ended that it gave up last, when nothing came.
    @first, @began, @cut = saved.values_at('first', 'began', 'cut').map { |of| (of || {}).dup }
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
    @arrived = now
    go_on(written)
    @expect[type] = PATIENCE if @expect.key?(type)
    event = @held[id] || begin_event(id, written, from)
    done = put(event, type, text) ? [finish(event)] : NONE
    # Of the oldest alone, which is enough: the others are looked at when it has gone.
    oldest = @held.first or return done
    over?(oldest[1]) || many? ? done + over : done
  end

  # A record that an earlier one held when it was `saved`: it ends nothing that had not ended then.
  def again(id, type, text, written:, now:, from:)
    @arrived = now
    @boot = id[0, 32]
    event = @held[id] || begin_event(id, written, from)
    put(event, type, text)
    @cut[id] == event.first + event.records.size ? give_up([event]) : NONE
  end

  # Those whose time is over because nothing more has come, which end with `give_up`.
  def quiet(now)
    @held.each_value.select { |event| now - @arrived >= limit(event) }
  end

  # Events that are held end.
  def give_up(events)
    events.each do |event|
      event.whole = event.paths >= event.items || @expect['PATH'].zero?
      @expect['PATH'] -= 1 if !event.whole && event.paths.zero?
      finish(event)
    end
  end

  # The oldest event's.
  def from
    @held.each_value.first&.from
  end

  # What another one has to know to go on. cut: those that are given up next.
  def saved(cut = [])
    { 'ended' => @ended.to_a.last(SAVED).to_h, 'broken' => @broken, 'expect' => @expect,
      'time' => { 'written' => @written, 'time' => @time }, 'began' => @held.transform_values(&:began),
      'first' => @held.transform_values(&:first).reject { |_, first| first.zero? },
      'cut' => cut.to_h { |event| [event.id, event.first + event.records.size] } }
  end

  private

  # Of an event that an earlier one held, it says when it began.
  def begin_event(id, written, from)
    first = @first.delete(id) || @ended[id] || @broken[id] || 0
    @held[id] = Event.new(id, written, [], first, 0, 0, from, true, nil, @began.delete(id) || @time)
  end

  def go_on(written)
    @time += written - @written if written > @written && @written.positive?
    @written = written if written > @written || @written - written > BACK
  end

  # Whether it ends the event.
  def put(event, type, text)
    return true if type == 'EOE'

    event.records << [type, text]
    @bytes += text.bytesize
    case type
    when 'SYSCALL' then event.items = text[/ items=(\d+)/, 1].to_i
    when 'PATH' then event.paths += 1
    end
    return true if type == 'PROCTITLE' || text.include?(" msg='")

    event.items.positive? && event.paths >= event.items && @expect['PROCTITLE'].zero?
  end

  def limit(event) = event.items > event.paths && @expect['PATH'].positive? ? MISSING : SETTLED

  def many? = @held.size > HELD || @bytes > BYTES

  def over?(event) = @time - event.began >= limit(event) * 1_000_000

  # From the oldest on, as many as are, and where too many are held.
  def over
    done = []
    while (_, event = @held.first) && (over?(event) || many?)
      done.concat(give_up([event]))
    end
    done
  end

  def finish(event)
    @held.delete(event.id)
    @bytes -= event.records.sum { |_, text| text.bytesize }
    [@ended, @broken].each { |of| of.delete(event.id) }
    (event.whole ? @ended : @broken)[event.id] = event.first + event.records.size
    @ended.shift if @ended.size > ENDED
    @broken.shift if @broken.size > SAVED
    last = event.records.last&.first
    @expect['PROCTITLE'] -= 1 if last && last != 'PROCTITLE' && event.items.positive? && @expect['PROCTITLE'].positive?
    event
  end
end
