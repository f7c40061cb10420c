# What the input tells of itself, as metrics: those that fluent-bit's signals.lua has under the same names, but for what is left
# out (filter_linux_audit_volume.rb), and how far back the journal goes. Without the gem nothing is counted. No error here may
# keep the input from going on.
begin
  require 'prometheus/client'
rescue LoadError
  # Then nothing is counted.
end

class AuditSignals
  COUNTERS = { records: 'Records read from the journal', record_bytes: 'Bytes of the text of those',
               events: 'Events that ended', parts: 'Entries that have not all records of their event' }.freeze
  GAUGES = { held: 'Events that have begun and not ended', last_event_seconds: 'Time of the last event that ended',
             lag_seconds: 'Age of the last event that ended, when it did; while the buffer takes nothing, of the first that waits; ' \
                          'where nothing more is to be read, 0',
             disk_full: '1: nothing is taken from the journal until there is room',
             journal_hours: 'Age of the oldest audit record that the journal has' }.freeze
  FULL = [Errno::ENOSPC, Errno::EDQUOT].freeze
  # Seconds between two looks at the journal's first record.
  EVERY = 300

  def initialize(log)
    @log = log
    return unless defined?(::Prometheus::Client)

    @entries = metric(:counter, :linux_audit_entries_total, 'Entries the buffer has taken', labels: %i[key class])
    # From the start, so that one that never takes an entry is seen to stand still.
    @entries.init_label_set({ key: '', class: '' })
    @counters = COUNTERS.to_h { |name, text| [name, metric(:counter, :"linux_audit_#{name}_total", text)] }
    @gauges = GAUGES.to_h { |name, text| [name, metric(:gauge, :"linux_audit_#{name}", text)] }
  end

  # Of a batch that was read; and of what of it the buffer has taken: how many events, and pairs of time and entry.
  def batch(records, bytes, held)
    add(:records, records)
    add(:record_bytes, bytes)
    set(:held, held)
  end

  def taken(events, stream)
    return unless @entries

    last = nil
    stream.each do |time, entry|
      key = entry['key'] || entry['keys']&.join(',')
      @entries.increment(labels: { key: key.to_s, class: entry['class'].to_s })
      add(:parts, 1) if entry['part']
      last = time.sec
    end
    add(:events, events)
    set(:disk_full, 0)
    told_of(last, last)
  rescue StandardError => e
    @log.warn 'entries are not counted', error: e.message
  end

  # The buffer has taken none of these. Of a file that cannot be made it tells in an error of its own, by the cause.
  def refused(stream, error)
    first = stream.each { |time, _| break time.sec }
    set(:disk_full, [error, error.cause].any? { |e| FULL.include?(e.class) } ? 1 : 0)
    told_of(first, nil) if first.is_a?(Integer)
  rescue StandardError => e
    @log.warn 'how long entries wait is not known', error: e.message
  end

  # The journal has been read to its end, and no event is held.
  def idle = set(:lag_seconds, 0)

  # now: seconds, of a clock that is not set. The block gives the time of the journal's first record, or nil.
  def journal(now)
    return if !@gauges || (@looked && now - @looked < EVERY)

    @looked = now
    first = yield or return
    set(:journal_hours, ((Time.now.to_f - first) / 3600).round(2))
  rescue StandardError => e
    @log.warn 'how far back the journal goes is not known', error: e.message
  end

  private

  def metric(kind, name, text, **more)
    registry = ::Prometheus::Client.registry
    registry.get(name) || registry.public_send(kind, name, docstring: text, **more)
  end

  def add(name, count)
    @counters[name].increment(by: count) if @counters && count.positive?
  end

  def set(name, value) = @gauges && @gauges[name].set(value)

  # In seconds: of which time an event waits, and of which the last that ended is.
  def told_of(time, ended)
    set(:lag_seconds, [Time.now.to_i - time, 0].max) if time
    set(:last_event_seconds, ended) if ended
  end
end
