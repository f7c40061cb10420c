# Where to go on in the journal, on the disk.
#
#   cursor   empty: the journal's head; else the last record of the batch before that in which the oldest event began that is still held
#   read     the last record that was read; the same when nothing is held
#   boots    of the records between the two, in order; those of a boot may all be gone when it is started again
#   held     the held events. Of the records after `cursor`, up to `read`, theirs alone are still to be sent.
#   late     of those of which a part was sent before: the first record since
#   events   what AuditEvents wants to know again
#   sessions what AuditSessions does
#   boot     of the node, when it was saved
#
# A node that loses its power loses what the kernel had not yet written of the chunks and of the journal, whose numbers
# are given again then; neither is synced. Beside it lies one of at least a minute before, by when all of that is on
# the disk: what another boot saved, and what is damaged, is not believed, and it goes on from there.
require 'json'

class AuditState
  FIELDS = %w[cursor read held late events sessions boot boots].freeze
  # Seconds. The kernel writes what is older than 30.
  SETTLED = 60
  attr_reader :cursor, :boots, :read, :held, :late, :events, :sessions

  def self.boot
    File.read('/proc/sys/kernel/random/boot_id').chomp
  rescue SystemCallError
    nil
  end

  # Whole at all times: by rename. Also after the power was lost.
  def self.replace(path, text)
    File.open("#{path}.new", 'wb', 0o600) do |file|
      file.write(text)
      file.fsync
    end
    File.rename("#{path}.new", path)
  end

  def initialize(path, log)
    @path = path
    @earlier = "#{path}.earlier"
    @log = log
    @boot = self.class.boot
    state = load
    # At once where there is none yet.
    @settling = JSON.generate(state)
    @since = File.exist?(@earlier) ? nil : -SETTLED
    @cursor, @read = state.values_at('cursor', 'read')
    # The versions before did not save them.
    @boots = state['boots'] || @cursor.scan(/;b=(\h+)/).flatten
    @held = state['held'].to_h { |id| [id, true] }
    @late = state['late'] || {}
    @events = state['events']
    @sessions = state['sessions']
  end

  # Nothing is known: the journal from its head.
  def forget
    @cursor = ''
    @read = nil
    @boots = []
    @held = {}
    @late = {}
    @events = {}
  end

  # held: as AuditEvents has them; now: in seconds, of a clock that is not set. By rename: the file is whole at all times.
  def save(cursor, boots, read, held, events, sessions, now)
    @cursor = cursor
    @boots = boots
    @read = read
    late = held.each_value.select(&:at).to_h { |event| [event.id, event.at] }
    text = JSON.generate(FIELDS.zip([cursor, read, held.keys, late, events, sessions, @boot, boots]).to_h)
    # fluentd takes no right away from files by itself.
    File.write("#{@path}.new", text, perm: 0o600)
    File.rename("#{@path}.new", @path)
    settle(text, now)
  end

  private

  NONE = { 'cursor' => '', 'read' => nil, 'held' => [], 'events' => {} }.freeze

  # What was saved a minute ago is the earlier one now.
  def settle(text, now)
    @since ||= now
    return if now - @since < SETTLED

    self.class.replace(@earlier, @settling)
    @settling = text
    @since = now
  end

  def load
    return NONE unless File.exist?(@path)

    state, why = parse(@path)
    return state if state && [nil, @boot].include?(state['boot'])

    earlier, = File.exist?(@earlier) && parse(@earlier)
    if state
      @log.info "#{@path}: the node has booted: what was read last before is sent again, with the same insertId", from: earlier['cursor'] if earlier
    else
      @log.warn "#{@path}: no cursor (#{why.to_s.scrub[0, 100]}): the journal is read from #{earlier ? 'where it was a minute before' : 'its head'}; " \
                'what was sent before comes again, with the same insertId'
    end
    earlier || state || NONE
  end

  # What is saved there, or nil, and why it is none.
  def parse(path)
    state = JSON.parse(File.binread(path))
    # What cannot be written again would end the input at its first save.
    JSON.generate(state)
    # As fluent-plugin-systemd wrote it, which version 0.1 used.
    old = state['journal'] if state.is_a?(Hash)
    return NONE.merge('cursor' => old, 'read' => old) if cursor?(old) && !old.empty?

    state.is_a?(Hash) && fields?(state) ? state : [nil, 'it has not the fields of a cursor']
  rescue StandardError => e
    [nil, e.message]
  end

  def fields?(state)
    cursor, read, held, late, events, sessions, _, boots = state.values_at(*FIELDS)
    cursor?(cursor) && (read.nil? || cursor?(read)) && held.is_a?(Array) && (late.nil? || late.is_a?(Hash) && late.each_value.all?(String)) &&
      (boots.nil? || boots.is_a?(Array) && boots.all?(String)) &&
      events.is_a?(Hash) && events.each_value.all? { |of| of.is_a?(Hash) && counts?(of.values) } &&
      (sessions.nil? || sessions.is_a?(Array) && sessions.size == 2 && counts?(sessions))
  end

  # libsystemd says of others that they are none; of a string with a zero in it, it cannot be asked.
  def cursor?(text) = text.is_a?(String) && !text.include?("\0")

  def counts?(values) = values.all? { |value| value.is_a?(Integer) && !value.negative? }
end
