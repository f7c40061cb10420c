# Which container a process is in, without [container] identity: by its cgroup, and by the names of the kubelet's links
# to logs. That is known while the process runs.
class AuditProc
  # The kernel's number of its first PID namespace: in others a pid means another process.
  FIRST_NAMESPACE = 'pid:[4026531836]'.freeze
  # Ticks a second, as /proc has them everywhere.
  HZ = 100
  # Seconds, for so many: the kubelet makes the link when the container has started.
  AGAIN = 1
  WITHOUT = 1000
  LINK = /\A(?<pod>[^_]+)_(?<namespace>[^_]+)_(?<name>.+)-(?<id>\h{64})\.log\z/.freeze
  POD = /pod(\h{8}(?:[-_]\h{4}){3}[-_]\h{12})/.freeze

  # logs: /var/log/containers, or where it is mounted. root: of the system, in tests another one.
  def initialize(logs, root = '/')
    @logs = logs
    @proc = File.join(root, 'proc')
    @here = File.readlink("#{@proc}/self/ns/pid") == FIRST_NAMESPACE
    @boot = File.read("#{@proc}/sys/kernel/random/boot_id").delete("-\n")
    @booted = File.read("#{@proc}/stat")[/^btime (\d+)/, 1].to_i
    @names = {}
    # Since when those are known that have no link.
    @without = {}
  rescue SystemCallError
    @here = false
  end

  # Of the process that caused an event at `time` (seconds); nil: none, or not known.
  def container(event, pid, time)
    return unless @here && pid && event.start_with?(@boot)

    cgroup = File.read("#{@proc}/#{pid}/cgroup").scrub
    id = cgroup.scan(/\h{64}/).last
    return if !id || later?(pid, time)

    found = { 'id' => id }.merge!(names(id))
    pod = cgroup[POD, 1]
    found['pod_uid'] = pod.tr('_', '-') if pod
    found.merge!('source' => 'proc')
  rescue SystemCallError, ArgumentError, NoMethodError
    nil
  end

  private

  # Whether it is another process, that has got the number since. btime is cut to a second. A process chooses its
  # name, of any bytes.
  def later?(pid, time)
    ticks = File.read("#{@proc}/#{pid}/stat").scrub[/.*\) (.*)/m, 1].split[19].to_i
    @booted + (ticks.to_f / HZ) > time + 1
  end

  def names(id)
    return @names[id] if @names.key?(id)
    return {} if @without.key?(id) && clock - @without[id] < AGAIN

    look
    @without.delete(id)
    @without[id] = clock unless @names.key?(id)
    @without.shift if @without.size > WITHOUT
    @names.fetch(id, {})
  end

  def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)

  # All that there are now: those of containers that have gone are forgotten.
  def look
    @names = {}
    Dir.each_child(@logs) do |file|
      match = LINK.match(file) or next
      @names[match['id']] = match.named_captures.slice('name', 'pod', 'namespace')
    end
  rescue SystemCallError
    @names
  end
end
