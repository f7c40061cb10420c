# What the input tells of itself, as metrics: those that fluent-bit's signals.lua has under the same names, and how far back
# the journal goes. Without the gem nothing is counted. No error here may keep the input from going on.
begin
  require 'prometheus/client'
rescue LoadError
  # Then nothing is counted.
end

class AuditSignals
  COUNTERS = { records: 'Records read from the journal', record_bytes: 'Bytes of the text of those',
               parts: 'Entries that have not all records of their event' }.freeze
  GAUGES = { lag_seconds: 'Age of the last event that ended, when it did',
             journal_hours: 'Age of the oldest audit record that the journal has' }.freeze
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

  # Of a batch that was read, and of what of it the buffer has taken: pairs of time and entry.
  def batch(records, bytes)
    add(:records, records)
    add(:record_bytes, bytes)
  end

  def taken(stream)
    return unless @entries

    last = nil
    stream.each do |time, entry|
      key = entry['key'] || entry['keys']&.join(',')
      @entries.increment(labels: { key: key.to_s, class: entry['class'].to_s })
      add(:parts, 1) if entry['part']
      last = time.sec
    end
    @gauges[:lag_seconds].set([Time.now.to_i - last, 0].max) if last
  rescue StandardError => e
    @log.warn 'entries are not counted', error: e.message
  end

  # now: seconds, of a clock that is not set. The block gives the time of the journal's first record, or nil.
  def journal(now)
    return if !@gauges || (@looked && now - @looked < EVERY)

    @looked = now
    first = yield or return
    @gauges[:journal_hours].set(((Time.now.to_f - first) / 3600).round(2))
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
end
