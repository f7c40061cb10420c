# The audit records of a node's journal, one entry an event (k8s/entry.schema.json). What each file beside it does:
#   audit_journal.rb    reads records     audit_events.rb    puts those of an event together
#   audit_entry.rb      makes the entry   audit_record.rb    of the text of its records
#   audit_sessions.rb   containers        audit_proc.rb      containers, without start records
#   audit_state.rb      where to go on   audit_signals.rb   metrics
# The cursor on the disk is moved after the buffer has taken the entries. Killed at any time, it goes on with what it
# had not sent, and sends at most what it read since the last save, a batch, again, with the insertId it had.
require 'fluent/plugin/input'
require_relative 'audit_entry'
require_relative 'audit_events'
require_relative 'audit_journal'
require_relative 'audit_proc'
require_relative 'audit_sessions'
require_relative 'audit_signals'
require_relative 'audit_state'

module Fluent
  module Plugin
    class LinuxAuditInput < Input
      Fluent::Plugin.register_input('linux_audit', self)
      helpers :thread

      desc 'The tag of the entries.'
      config_param :tag, :string
      desc 'The directory of the journal.'
      config_param :path, :string, default: '/var/log/journal'
      desc 'The directory for the cursor, and for what is known of containers.'
      config_param :state_path, :string
      desc 'Where the kubelet has its links to logs, whose names are those of containers.'
      config_param :logs_path, :string, default: '/var/log/containers'
      desc 'The name of the node, as field host; without it there is no such field.'
      config_param :host, :string, default: nil
      desc 'Records between two saves of the cursor.'
      config_param :batch, :integer, default: 1000
      desc 'Seconds between two looks for new records.'
      config_param :interval, :time, default: 0.3
      desc 'Seconds until the buffer is asked again when it has refused.'
      config_param :retry_interval, :time, default: 1

      def start
        super
        FileUtils.mkdir_p(@state_path, mode: 0o700)
        @signals = AuditSignals.new(log)
        thread_create(:linux_audit) { run while thread_current_running? }
      end

      private

      # From what is on the disk to an error of the journal, or the end.
      def run
        @state = AuditState.new(File.join(@state_path, 'cursor.json'), log)
        @sessions = AuditSessions.new(File.join(@state_path, 'sessions.jsonl'), log, @state.sessions)
        @proc = AuditProc.new(@logs_path)
        # First: it may forget the state.
        @journal = open_journal
        @events = AuditEvents.new(@state.events)
        # Records up to there were read before.
        @read = @state.read
        save
        nil while thread_current_running? && step
      rescue Systemd::JournalError => e
        log.warn 'the journal cannot be read: it is opened again', error: e.message, cursor: @state.read
        sleep @retry_interval
      ensure
        @journal&.close
      end

      # One batch; false when it is time to end.
      def step
        count, done = read_batch
        done = give_up if count.zero?
        return false unless done.empty? || deliver(done.size, entries(done))

        look_back
        @signals.idle if count.zero? && done.empty? && @events.held.empty?
        save if count.positive? || !done.empty?
        @journal.look
        sleep @interval if count.zero?
        true
      end

      def open_journal
        AuditJournal.new(@path, @state.cursor, log)
      rescue Systemd::JournalError => e
        log.warn 'the journal does not know the cursor: it is read from its head; what was sent before comes again, with ' \
                 'the same insertId', error: e.message, cursor: @state.cursor
        @state.forget
        AuditJournal.new(@path, @state.cursor, log)
      end

      # Records that were read, and the events that ended.
      def read_batch
        # With the boots of what was read of the batch so far.
        from = [@journal.cursor, []]
        count = bytes = 0
        done = []
        while count < @batch && (record = @journal.next)
          count += 1
          bytes += record.type.bytesize + 1 + record.text.bytesize
          done.concat(add(record, from))
        end
        @signals.batch(count, bytes, @events.held.size)
        [count, done]
      end

      def add(record, from)
        about = { written: record.time, came: record.came, now: clock, from: from }
        boot = record.event[0, 32]
        from[1] << boot unless from[1].include?(boot)
        place = @read ? place(record) : :new
        return [] if place == :sent

        done = place == :held ? [] : @events.boot(boot)
        done += @events.public_send(place == :held ? :again : :add, record.event, record.type, record.text, **about)
        note_late(record)
        look_up(record) if record.type == 'SYSCALL'
        done
      end

      # Read again, with more behind it, an event would not end where it ended because nothing came. So that is saved before.
      def give_up
        quiet = @events.quiet(clock)
        save(quiet) unless quiet.empty?
        @events.give_up(quiet)
      end

      # When an event ends, its process may have, too. Of those with a class, sessions tell.
      def look_up(record)
        event = @events.held[record.event] or return
        return if AuditSessions::CLASSES.key?(record.text[/ auid=(\d+)/, 1].to_i >> 28)

        event.container = @proc.container(event.id, record.text[/ pid=(\d+)/, 1], record.time / 1_000_000) || false
      end

      # Where a later part begins: what the event had before was sent, and may lie behind the cursor, too.
      def note_late(record)
        event = @events.held[record.event]
        event.at ||= @journal.cursor if event&.first&.positive?
      end

      # Of those that were read before, records of events that were held are still to be sent.
      def place(record)
        place = @journal.compare(@read, @state.boots)
        @read = nil if place >= 0
        return :new if place.positive?
        return :sent unless @state.held.key?(record.event)

        late = @state.late[record.event]
        late && @journal.compare(late).negative? ? :sent : :held
      end

      def entries(done)
        stream = MultiEventStream.new
        done.each do |event|
          next if event.records.empty?

          entries_of(event).each do |entry|
            entry['host'] = @host if @host
            stream.add(EventTime.new(event.written / 1_000_000, event.written % 1_000_000 * 1000), entry)
          end
        end
        stream
      end

      # An error that ended the thread would come again with the same event, after each start.
      def entries_of(event)
        AuditEntry.all(event.id, event.records, event.first, event.whole).each { |entry| name(entry, event) }
      rescue StandardError => e
        log.error 'an event is sent with its records as they stand', event: event.id, error: e.full_message(highlight: false)
        AuditEntry.bare(event.id, event.records, event.first, event.whole)
      end

      def name(entry, event)
        @sessions.name(entry)
        return if entry['class'] || entry['container']

        container = event.container
        container = @proc.container(event.id, entry['pid'], event.written / 1_000_000) if container.nil?
        entry['container'] = container if container
      end

      # Until the buffer takes them; false when it is time to end.
      def deliver(events, stream)
        router.emit_stream(@tag, stream)
        @signals.taken(events, stream)
        true
      rescue StandardError => e
        log.warn 'the buffer takes nothing: reading waits, the journal keeps what comes', error: e.class.to_s, reason: e.message
        @signals.refused(stream, e)
        look_back
        sleep @retry_interval
        thread_current_running? ? retry : false
      end

      # cut: the events that are given up next. Not while records are read a second time: until then the old one is right.
      def save(cut = [])
        return if @read

        read = @journal.cursor
        @state.save(*(@events.from || [read, []]), read, @events.held, @events.saved(cut), @sessions.save, clock)
        @sessions.tidy
      rescue SystemCallError => e
        log.warn 'the cursor cannot be saved: what is read from now on would come again after a restart', error: e.message
      end

      # Also while nothing is taken: what the journal loses meanwhile is lost.
      def look_back = @signals.journal(clock) { AuditJournal.begins(@path) }

      def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end
  end
end
