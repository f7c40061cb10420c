# Puts the records of an event together, which come in the kernel's order with those of other events between them.
# Nothing in the journal ends an event: it is over with its PROCTITLE, when a program sent it, or when its time is. What
# comes later is a part of its own, which goes on counting where the event ended. Where an event ends follows from its own
# records, and from when each came into the journal: what it is made of is the same wherever reading began, also where what
# was before is gone. (What alone ends it otherwise: that nothing came for a while, which is as long as that, and is saved
# before; that too many are held.)
class AuditEvents
  # From an event's first record on, as the journal's entries have the time; where nothing more comes, since the last record
  # has arrived: so the same journal makes the same events, at whatever speed it is read. Measured from an event's first
  # record to its last: 0.7 s in 999 of 1,000, 2.7 s at most. MISSING: while there are less PATH records than its SYSCALL's
  # items= says.
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

  NONE = [].freeze
  # began: by `@time`. at: the first record of a part, where another was sent before. container: of its process; false: none.
  Event = Struct.new(:id, :written, :records, :first, :items, :paths, :from, :whole, :at, :began, :container)

  attr_reader :held

  # saved: what `saved` gave an earlier one.
  def initialize(saved = {})
    @held = {}
    @bytes = 0
    @ended = (saved['ended'] || {}).dup
    @broken = (saved['broken'] || {}).dup
    # Of the journal: the highest that was seen, and how far it has gone on in all.
    @came, @time = (saved['time'] || {}).values_at('written', 'time').map(&:to_i)
    # Of events that the earlier one held; and with how many records those ended that it gave up last, when nothing came.
    @first, @began, @cut = saved.values_at('first', 'began', 'cut').map { |of| (of || {}).dup }
  end

  # Before the first record of another boot is added: the events that are held, of which nothing comes any more.
  def boot(id)
    return [] if id == @boot

    @boot = id
    give_up(@held.values)
  end

  # Another record: its event, type, text; `written`: the event's time, `came`: when it came into the journal, both in
  # microseconds; `now`: of arrival here; `from`: from where on the journal has to be read again to have all of the event.
  # Gives the events that end with it, often none.
  def add(id, type, text, written:, came:, now:, from:)
    @arrived = now
    go_on(came)
    event = @held[id]
    # Whatever is held beside it.
    done = event && over?(event) ? give_up([event]) : NONE
    event = @held[id] || begin_event(id, written, from)
    done += [finish(event)] if put(event, type, text)
    # Of the oldest alone, which is enough: the others are looked at when it has gone.
    oldest = @held.first or return done
    over?(oldest[1]) || many? ? done + over : done
  end

  # A record that an earlier one held when it was `saved`: it ends nothing that had not ended then.
  def again(id, type, text, written:, came:, now:, from:)
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
      # None at all: a node may have no such records.
      event.whole = event.paths >= event.items || event.paths.zero?
      finish(event)
    end
  end

  # The oldest event's.
  def from
    @held.each_value.first&.from
  end

  # What another one has to know to go on. cut: those that are given up next.
  def saved(cut = [])
    { 'ended' => @ended.to_a.last(SAVED).to_h, 'broken' => @broken,
      'time' => { 'written' => @came, 'time' => @time }, 'began' => @held.transform_values(&:began),
      'first' => @held.transform_values(&:first).reject { |_, first| first.zero? },
      'cut' => cut.to_h { |event| [event.id, event.first + event.records.size] } }
  end

  private

  # Of an event that an earlier one held, it says when it began.
  def begin_event(id, written, from)
    first = @first.delete(id) || @ended[id] || @broken[id] || 0
    @held[id] = Event.new(id, written, [], first, 0, 0, from, true, nil, @began.delete(id) || @time)
  end

  def go_on(came)
    @time += came - @came if came > @came && @came.positive?
    @came = came if came > @came || @came - came > BACK
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
    type == 'PROCTITLE' || text.include?(" msg='")
  end

  def limit(event) = event.items > event.paths ? MISSING : SETTLED

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
    event
  end
end
