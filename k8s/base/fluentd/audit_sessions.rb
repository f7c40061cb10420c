# Which container a session is of: by the login uid, and by the records that the runtime's wrapper sends at starts
# (AUDIT_VIRT_CONTROL). What is known lies beside the cursor, so that a start record is needed once.
require 'digest'
require 'json'
require_relative 'audit_state'

class AuditSessions
  # The highest four bits of the login uid; below them 28 of the container's id.
  CLASSES = { 0xC => 'container', 0xD => 'exec', 0xE => 'terminal' }.freeze
  # Of containers themselves, and of what was started in them later: probes do not push containers out.
  # Those go first that were not used for longest.
  OWN = 1000
  LATER = 3000
  # Of a container's process the kernel writes the container's profile, never these.
  RUNTIME = /\A(?:unconfined|[^:]*:[^:]*:container_runtime_t(?::.*)?)\z/.freeze
  NAMES = { 'name' => 'container', 'pod' => 'pod', 'namespace' => 'namespace', 'pod_uid' => 'uuid' }.freeze
  # Of what a line of the file has.
  TYPES = { 'boot' => String, 'ses' => Integer, 'pid' => Integer, 'later' => TrueClass, 'id' => String, 'image' => String,
            **NAMES.transform_values { String }, 'forgotten' => Integer, 'generation' => Integer, 'bytes' => Integer }.freeze

  # saved: what `save` gave an earlier one, of which nothing later is taken: the same records have to make the same entries.
  # nil: all that the file has.
  def initialize(path, log, saved = nil)
    @path = path
    @log = log
    @boot = nil
    # The highest session that is forgotten: the kernel counts them upward, so of those up to it none begins any more.
    @forgotten = 0
    @own = {}
    @later = {}
    # Of a container the session of its own.
    @ids = {}
    @unsaved = []
    # The file's bytes that count, and how often it was written anew.
    @bytes = @lines = @generation = 0
    load(saved) if File.exist?(path)
  end

  # Adds class and container to an entry.
  def name(entry)
    about = entry.key?('auid') ? entry : Array(entry['records']).find { |r| r.key?('auid') }
    auid = about && about['auid']
    return if !auid && !entry['type'].include?('VIRT_CONTROL')

    boot(entry['event'][0, 32])
    kind = auid && CLASSES[auid >> 28]
    entry['class'] = kind if kind
    start = Array(entry['records']).find { |r| r['type'] == 'VIRT_CONTROL' && r['virt'] == 'container' }
    container = start ? started(start, kind) : kind && of_session(about['ses'], auid, about['pid'])
    entry['container'] = container if container
  end

  # Before the cursor is, with which what it gives has to be saved. What was written in part is written over.
  def save
    lines = text(@unsaved)
    File.binwrite(@path, lines, @bytes, perm: 0o600) unless lines.empty?
    @bytes += lines.bytesize
    @lines += @unsaved.size
    @unsaved = []
    [@generation, @bytes]
  end

  # After the cursor was saved.
  def tidy
    rewrite if @lines > 2 * (OWN + LATER)
  end

  def self.digits(id)
    id.match?(/\A\h{7,}\z/) ? id[0, 7].downcase : Digest::SHA256.hexdigest(id)[0, 7]
  end

  private

  # Sessions are counted anew with each boot.
  def boot(id)
    return if id == @boot

    begin_boot(id)
    note('boot' => id)
  end

  def begin_boot(id, forgotten = 0)
    @boot = id
    @forgotten = forgotten
    [@own, @later, @ids].each(&:clear)
  end

  def note(line) = @unsaved << line

  # What is known of a session, which is used with it.
  def known(ses)
    of = @own.key?(ses) ? @own : @later
    what = of.delete(ses)
    of[ses] = what if what
  end

  def of_session(ses, auid, pid)
    digits = format('%07x', auid & 0xFFFFFFF)
    known = known(ses)
    keep(ses, { 'pid' => pid }) unless known
    return { 'id' => digits, 'source' => 'auid' } unless known && known['id'] && digits == self.class.digits(known['id'])

    names(known['id']).merge!('source' => 'start')
  end

  def names(id)
    { 'id' => id }.merge!(known(@ids[id])&.slice(*NAMES.keys) || {})
  end

  def started(record, kind)
    told = { 'id' => record['vm'].to_s }
    NAMES.each { |ours, theirs| told[ours] = record[theirs] if record[theirs] }
    image = record['image'] ? { 'image' => record['image'] } : {}
    later = record['exec'] == 'yes'
    what = (later ? { 'id' => told['id'], 'later' => true } : told).merge(image, 'pid' => record['pid'])
    known = known(record['ses'])
    # What was kept of this very record, which is read again.
    unless what == known
      return told.merge!(image, 'source' => 'claimed') unless believed?(record, kind, known)

      keep(record['ses'], what)
    end
    (later ? names(told['id']) : told).merge(image, 'source' => 'start')
  end

  # The first of its session, of the runtime, about the container that the login uid names.
  def believed?(record, kind, known)
    wanted = record['terminal'] == 'yes' ? 'terminal' : record['exec'] == 'yes' ? 'exec' : 'container'
    record['op'] == 'start' && record['vm'] && kind == wanted && record['ses'] > @forgotten &&
      (!known || (!known['id'] && known['pid'] == record['pid'])) &&
      self.class.digits(record['vm']) == format('%07x', record['auid'] & 0xFFFFFFF) &&
      (!record.key?('subj') || record['subj'].nil? || record['subj'].match?(RUNTIME))
  end

  def keep(ses, what)
    remember(ses, what)
    note(what.merge('ses' => ses))
  end

  def remember(ses, what)
    forget(ses)
    own = what['id'] && !what['later']
    (own ? @own : @later)[ses] = what
    @ids[what['id']] = ses if own
    [[@own, OWN], [@later, LATER]].each do |of, limit|
      @forgotten = [@forgotten, forget(of.first[0])].max if of.size > limit
    end
  end

  def forget(ses)
    what = @own.delete(ses) || @later.delete(ses)
    @ids.delete(what['id']) if what && @ids[what['id']] == ses
    ses
  end

  def load(saved)
    size = counted(saved)
    damaged = File.binread(@path, size).each_line.count { |line| !take(parse(line)) }
    @log.warn "#{@path}: #{damaged} damaged lines: containers that they were about have no names" if damaged.positive?
    @bytes = size
    rewrite
  rescue StandardError => e
    @log.warn "#{@path}: #{e.message}: containers that started before have no names"
  end

  # A line; nil when it is damaged: it would end the input when it is written again, or its session's entries.
  def parse(line)
    what = JSON.parse(line)
    JSON.generate(what)
    what if what.is_a?(Hash) && what.all? { |name, value| value.nil? || TYPES.fetch(name, Object) === value }
  rescue StandardError
    nil
  end

  def take(what)
    return false unless what

    if what['boot']
      begin_boot(what['boot'], what['forgotten'].to_i)
    elsif what['ses']
      remember(what['ses'], what.except('ses'))
    end
    true
  end

  # How much of the file is as old as `saved`: written anew since then, it was so right after.
  def counted(saved)
    size = File.size(@path)
    line = File.open(@path, 'rb', &:gets).to_s
    head = parse(line) || {}
    @generation = head['generation'].to_i
    return size unless saved

    [size, saved[0] == @generation ? saved[1] : line.bytesize + [head['bytes'].to_i, 0].max].min
  end

  def text(lines) = lines.map { |line| "#{JSON.generate(line)}\n" }.join

  def rewrite
    body = text([@own, @later].flat_map { |of| of.map { |ses, what| what.merge('ses' => ses) } })
    head = text([{ 'boot' => @boot, 'forgotten' => @forgotten, 'generation' => @generation + 1, 'bytes' => body.bytesize }])
    AuditState.replace(@path, head + body)
    @generation += 1
    @bytes = head.bytesize + body.bytesize
    @lines = @own.size + @later.size
  end
end
