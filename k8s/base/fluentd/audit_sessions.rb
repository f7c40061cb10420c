# Which container a session is of: by the login uid, and by the records that the runtime's wrapper sends at starts
# (AUDIT_VIRT_CONTROL). What is known lies beside the cursor, so that a start record is needed once.
require 'digest'
require 'json'

class AuditSessions
  # The highest four bits of the login uid; below them 28 of the container's id.
  CLASSES = { 0xC => 'container', 0xD => 'exec', 0xE => 'terminal' }.freeze
  # Of containers themselves, and of what was started in them later: probes do not push containers out.
  OWN = 1024
  LATER = 4096
  # Of a container's process the kernel writes the container's profile, never these.
  RUNTIME = /\A(?:unconfined|[^:]*:[^:]*:container_runtime_t(?::.*)?)\z/.freeze
  NAMES = { 'name' => 'container', 'pod' => 'pod', 'namespace' => 'namespace', 'pod_uid' => 'uuid' }.freeze

  def initialize(path, log)
    @path = path
    @log = log
    @boot = nil
    # The highest session that is forgotten: the kernel counts them upward, so of those up to it none begins any more.
    @forgotten = 0
    @own = {}
    @later = {}
    @unsaved = []
    @lines = 0
    load if File.exist?(path)
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

  # Before the cursor is.
  def save
    return if @unsaved.empty?
    return rewrite if @lines > 2 * (OWN + LATER)

    File.open(@path, 'ab', 0o600) { |f| f.write(@unsaved.map { |line| "#{JSON.generate(line)}\n" }.join) }
    @lines += @unsaved.size
    @unsaved = []
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
    [@own, @later].each(&:clear)
  end

  def note(line) = @unsaved << line

  def of_session(ses, auid, pid)
    digits = format('%07x', auid & 0xFFFFFFF)
    known = @own[ses] || @later[ses]
    keep(ses, { 'pid' => pid }) unless known
    return { 'id' => digits, 'source' => 'auid' } unless known && known['id'] && digits == self.class.digits(known['id'])

    names(known['id']).merge!('source' => 'start')
  end

  def names(id)
    { 'id' => id }.merge!(@own.each_value.find { |c| c['id'] == id }&.slice(*NAMES.keys) || {})
  end

  def started(record, kind)
    told = { 'id' => record['vm'].to_s }
    NAMES.each { |ours, theirs| told[ours] = record[theirs] if record[theirs] }
    image = record['image'] ? { 'image' => record['image'] } : {}
    return told.merge!(image, 'source' => 'claimed') unless believed?(record, kind)

    later = record['exec'] == 'yes'
    keep(record['ses'], later ? { 'id' => told['id'], 'later' => true } : told)
    (later ? names(told['id']) : told).merge(image, 'source' => 'start')
  end

  # The first of its session, of the runtime, about the container that the login uid names.
  def believed?(record, kind)
    known = @own[record['ses']] || @later[record['ses']]
    wanted = record['terminal'] == 'yes' ? 'terminal' : record['exec'] == 'yes' ? 'exec' : 'container'
    record['op'] == 'start' && record['vm'] && kind == wanted && record['ses'] > @forgotten && (!known || known['pid'] == record['pid']) &&
      self.class.digits(record['vm']) == format('%07x', record['auid'] & 0xFFFFFFF) &&
      (!record.key?('subj') || record['subj'].nil? || record['subj'].match?(RUNTIME))
  end

  def keep(ses, what)
    remember(ses, what)
    note(what.merge('ses' => ses))
  end

  def remember(ses, what)
    [@own, @later].each { |of| of.delete(ses) }
    own = what['id'] && !what['later']
    (own ? @own : @later)[ses] = what
    @forgotten = [@forgotten, @own.shift[0]].max if @own.size > OWN
    @forgotten = [@forgotten, @later.shift[0]].max if @later.size > LATER
  end

  # A last line that was not written whole belongs to records that are read again.
  def load
    File.foreach(@path, mode: 'rb') do |line|
      @lines += 1
      what = JSON.parse(line) rescue next
      next unless what.is_a?(Hash)

      if what['boot']
        begin_boot(what['boot'], what['forgotten'].to_i)
      elsif what['ses'].is_a?(Integer)
        remember(what['ses'], what.except('ses'))
      end
    end
    # Else what is added to a line cut short would be lost with it.
    rewrite
  rescue SystemCallError => e
    @log.warn "#{@path}: #{e.message}: containers that started before have no names"
  end

  def rewrite
    lines = [{ 'boot' => @boot, 'forgotten' => @forgotten }] + [@own, @later].flat_map { |of| of.map { |ses, what| what.merge('ses' => ses) } }
    File.write("#{@path}.new", lines.map { |line| "#{JSON.generate(line)}\n" }.join, perm: 0o600)
    File.rename("#{@path}.new", @path)
    @lines = lines.size
    @unsaved = []
  end
end
