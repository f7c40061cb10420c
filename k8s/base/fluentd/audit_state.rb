# Where to go on in the journal, on the disk.
#
#   cursor   empty: the journal's head; else the last record of the batch before that in which the oldest event began that is still held
#   read     the last record that was read; the same when nothing is held
#   held     the held events. Of the records after `cursor`, up to `read`, theirs alone are still to be sent.
#   late     of those of which a part was sent before: the first record since
#   events   what AuditEvents wants to know again
#   sessions what AuditSessions does
require 'json'

class AuditState
  FIELDS = %w[cursor read held late events sessions].freeze
  attr_reader :cursor, :read, :held, :late, :events, :sessions

  def initialize(path, log)
    @path = path
    @log = log
    state = load
    @cursor, @read = state.values_at('cursor', 'read')
    @held = state['held'].to_h { |id| [id, true] }
    @late = state['late'] || {}
    @events = state['events']
    @sessions = state['sessions']
  end

  # Nothing is known: the journal from its head.
  def forget
    @cursor = ''
    @read = nil
    @held = {}
    @late = {}
    @events = {}
  end

  # held: as AuditEvents has them. By rename: the file is whole at all times.
  def save(cursor, read, held, events, sessions)
    @cursor = cursor
    @read = read
    late = held.each_value.select(&:at).to_h { |event| [event.id, event.at] }
    # fluentd takes no right away from files by itself.
    File.write("#{@path}.new", JSON.generate(FIELDS.zip([cursor, read, held.keys, late, events, sessions]).to_h), perm: 0o600)
    File.rename("#{@path}.new", @path)
  end

  private

  NONE = { 'cursor' => '', 'read' => nil, 'held' => [], 'events' => {} }.freeze

  def load
    return NONE unless File.exist?(@path)

    state = JSON.parse(File.binread(@path))
    # What cannot be written again would end the input at its first save.
    JSON.generate(state)
    # As fluent-plugin-systemd wrote it, which version 0.1 used.
    old = state['journal'] if state.is_a?(Hash)
    return NONE.merge('cursor' => old, 'read' => old) if cursor?(old) && !old.empty?
    return state if state.is_a?(Hash) && fields?(state)

    damaged('it has not the fields of a cursor')
  rescue StandardError => e
    damaged(e.message)
  end

  def fields?(state)
    cursor, read, held, late, events, sessions = state.values_at(*FIELDS)
    cursor?(cursor) && cursor?(read) && held.is_a?(Array) && (late.nil? || late.is_a?(Hash) && late.each_value.all?(String)) &&
      events.is_a?(Hash) && events.each_value.all? { |of| of.is_a?(Hash) && counts?(of.values) } &&
      (sessions.nil? || sessions.is_a?(Array) && sessions.size == 2 && counts?(sessions))
  end

  # libsystemd says of others that they are none; of a string with a zero in it, it cannot be asked.
  def cursor?(text) = text.is_a?(String) && !text.include?("\0")

  def counts?(values) = values.all? { |value| value.is_a?(Integer) && !value.negative? }

  def damaged(why)
    @log.warn "#{@path}: no cursor (#{why.to_s.scrub[0, 100]}): the journal is read from its head; what was sent before comes " \
              'again, with the same insertId'
    NONE
  end
end
