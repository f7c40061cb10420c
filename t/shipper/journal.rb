# As much of the systemd-journal gem as audit_journal.rb sees, on entries in memory.
module Systemd
  class JournalError < StandardError; end

  class Journal
    class << self
      # [{ 'MESSAGE' => ..., ... }, ...]; a test may add at the end and take away at the head. waits: what happens at the next wait,
      # with which the file of the current entry goes.
      attr_accessor :entries, :first, :waits

      # When an entry came into it: __CAME, or with the newest of those before it.
      def came(at)
        times = entries[[at - 12, 0].max..at].map { |entry| entry['_SOURCE_REALTIME_TIMESTAMP'].to_i }
        entries[at]['__CAME']&.to_i || times.max
      end

      def before(file) = file == 'f' ? 0 : 9000 - (file.to_i(16) * 500)
    end

    def initialize(path:) = @path = path
    def filter(match) = match == { '_TRANSPORT' => 'audit' } || raise("filter #{match}")
    def close = nil

    # Of a file that was rotated away, or deleted, libsystemd tells no cursor any more, and goes on from there all the same.
    def wait(usec)
      raise 'an endless wait' unless usec.zero?
      return unless Journal.waits

      Journal.waits.call
      Journal.waits = @here = nil
    end

    def seek(where)
      @here = nil
      return @next = Journal.first if where == :head

      file, number = where.match(/\As=(\h+);i=(\h+);/)&.captures
      file or raise JournalError, 'Invalid argument'
      @next = [number.to_i(16) - Journal.before(file), Journal.first].max
    end

    def move_next
      return false if @next >= Journal.first + Journal.entries.size

      @here = @next
      @next += 1
      true
    end

    # Another sequence of files, of an entry with __FILE, has numbers of its own; the clocks are the node's, which with __BACK
    # was set back by so much. The boot of an entry stands in it, too, __BOOT where its field is another, and when it came into the
    # journal.
    def cursor
      raise JournalError, 'Cannot assign requested address' unless @here

      entry = Journal.entries[@here - Journal.first]
      file = entry['__FILE'] || 'f'
      "s=#{file};i=#{(@here + Journal.before(file)).to_s(16)};b=#{entry['__BOOT'] || entry['_BOOT_ID']};m=#{@here.to_s(16)};" \
        "t=#{(Journal.came(@here - Journal.first) - entry['__BACK'].to_i).to_s(16)};x=1"
    end
    def cursor?(cursor) = cursor == self.cursor
    def read_field(name) = Journal.entries[@here - Journal.first].fetch(name) { raise JournalError, 'No such file' }.b
  end
end
