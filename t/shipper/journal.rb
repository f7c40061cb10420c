# As much of the systemd-journal gem as audit_journal.rb sees, on entries in memory.
module Systemd
  class JournalError < StandardError; end

  class Journal
    class << self
      # [{ 'MESSAGE' => ..., ... }, ...]; a test may add at the end and take away at the head.
      attr_accessor :entries, :first
    end

    def initialize(path:) = @path = path
    def filter(match) = match == { '_TRANSPORT' => 'audit' } || raise("filter #{match}")
    def close = nil
    def wait(usec) = usec.zero? || raise('an endless wait')

    def seek(where)
      return @next = Journal.first if where == :head

      number = where[/\As=f;i=(\h+);/, 1] or raise JournalError, 'Invalid argument'
      @next = [number.to_i(16), Journal.first].max
    end

    def move_next
      return false if @next >= Journal.first + Journal.entries.size

      @here = @next
      @next += 1
      true
    end

    def cursor = "s=f;i=#{@here.to_s(16)};b=0"
    def cursor?(cursor) = cursor == self.cursor
    def read_field(name) = Journal.entries[@here - Journal.first].fetch(name) { raise JournalError, 'No such file' }.b
  end
end
