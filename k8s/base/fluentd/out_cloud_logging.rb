# Writes records to Cloud Logging (entries:write of its API, version 2) as the identity that the metadata server
# has for the Pod. key becomes a label (and group = exec one of every program started, whatever rule's key it has), severity
# and id those of the entry, and the other fields its payload.
#
# A chunk is done with when Cloud Logging has answered 200, or has written all but the entries that it says are
# invalid, which are kept on the node. All else is tried again, also 401, 403, 404 and 429: a missing role or an exhausted quota can be mended.
require 'fileutils'
require 'json'
require 'net/http'
require 'time'
require 'uri'
require 'zlib'
require 'fluent/plugin/output'

module Fluent
  module Plugin
    class CloudLoggingOutput < Output
      Fluent::Plugin.register_output('cloud_logging', self)

      desc 'The name of the log.'
      config_param :log_id, :string
      desc 'The name of the node in Kubernetes.'
      config_param :node_name, :string
      desc 'Where to write to; the metadata server knows it.'
      config_param :project_id, :string, default: nil
      desc "The cluster's name; the metadata server knows it."
      config_param :cluster_name, :string, default: nil
      desc "The cluster's region or zone; the metadata server knows it."
      config_param :location, :string, default: nil
      desc 'The metadata server. By number: it must be found without DNS.'
      config_param :metadata_url, :string, default: 'http://169.254.169.254'
      desc 'The API.'
      config_param :logging_url, :string, default: 'https://logging.googleapis.com'

      desc 'Where entries are kept that Cloud Logging calls invalid: a directory below root_dir/backup.'
      config_param :invalid_path, :string

      EXEC = %w[execve execveat].freeze

      class Refused < StandardError; end

      def configure(conf)
        super
        raise Fluent::ConfigError, 'node_name is empty: set NODE_NAME' if @node_name.empty?
      end

      def write(chunk)
        entries = []
        chunk.each { |time, record| entries << entry(time, record) }
        return if entries.empty?

        send_request(JSON.generate(
                       'logName' => "projects/#{project_id}/logs/#{@log_id}",
                       'resource' => { 'type' => 'k8s_node', 'labels' => resource_labels },
                       # One entry that is invalid must not keep the others back.
                       'partialSuccess' => true,
                       'entries' => entries
                     ), entries)
      end

      private

      def entry(time, record)
        payload = record.dup
        key = payload.delete('key') || payload.delete('keys')&.join(',')
        # The resource names the node.
        payload.delete('host')
        id = payload.delete('id')
        severity = payload.delete('severity')
        entry = { 'timestamp' => Time.at(time.to_i, time.nsec, :nsec).utc.iso8601(9),
                  'severity' => severity || 'DEFAULT', 'jsonPayload' => payload }
        entry['insertId'] = id if id
        labels = labels_of(key, payload)
        entry['labels'] = labels unless labels.empty?
        entry
      end

      # A rule of the user's may have taken the event before the shipped group exec, which is about it all the same.
      def labels_of(key, payload)
        labels = {}
        labels['key'] = key if key
        labels['group'] = 'exec' if EXEC.include?(payload['syscall'])
        labels
      end

      def resource_labels
        @cluster_name ||= from_metadata_server('instance/attributes/cluster-name')
        @location ||= from_metadata_server('instance/attributes/cluster-location')
        { 'cluster_name' => @cluster_name, 'location' => @location, 'node_name' => @node_name }
      end

      def project_id
        @project_id ||= from_metadata_server('project/project-id')
      end

      def token
        now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        return @token if @token && now < @token_until

        answer = JSON.parse(from_metadata_server('instance/service-accounts/default/token'))
        # The server renews it five minutes before it ends, and gives the old one until then.
        @token_until = now + [answer['expires_in'].to_i - 240, 0].max
        @token = answer.fetch('access_token')
      end

      def from_metadata_server(path)
        uri = URI.parse("#{@metadata_url}/computeMetadata/v1/#{path}")
        # Never by a proxy.
        http = Net::HTTP.new(uri.host, uri.port, nil)
        http.open_timeout = 5
        http.read_timeout = 15
        response = http.get(uri.path, 'Metadata-Flavor' => 'Google')
        raise Refused, "metadata server: #{path}: #{response.code}" unless response.code == '200'

        response.body
      end

      def send_request(body, entries)
        uri = URI.parse("#{@logging_url}/v2/entries:write")
        request = Net::HTTP::Post.new(uri, 'Authorization' => "Bearer #{token}", 'Content-Type' => 'application/json',
                                           'Content-Encoding' => 'gzip')
        request.body = Zlib.gzip(body)
        response = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == 'https', open_timeout: 10,
                                                       read_timeout: 60) { |http| http.request(request) }
        return if response.code == '200'

        # Perhaps revoked: ask for another one before the next try.
        @token = nil if response.code == '401'
        rejected = rejected_entries(response.body)
        if rejected
          # Only those whose own fault it is may go. All of them is a matter of the project.
          raise Refused, "Cloud Logging: #{response.code}: #{rejected.values.first}" unless
            rejected.values.all? { |status| status['code'] == 3 } && rejected.size <= entries.size

          keep_invalid(rejected, entries)
          log.error 'Cloud Logging takes these entries for invalid, and has the others; they are kept',
                    invalid: rejected.size, of: entries.size, reason: rejected.values.first['message'], in: @invalid_path
        elsif response.code == '400'
          # The request as a whole, and so at every time: kept in root_dir, out of the way of the others.
          raise Fluent::UnrecoverableError, "Cloud Logging: 400: #{response.body.to_s[0, 500]}"
        else
          raise Refused, "Cloud Logging: #{response.code}: #{response.body.to_s[0, 500]}"
        end
      end

      # What Cloud Logging will never take, as it was sent, a file an hour: in_chunk_backup.rb counts and bounds them. Where
      # that fails the chunk is tried again; Cloud Logging drops what it has.
      def keep_invalid(rejected, entries)
        FileUtils.mkdir_p(@invalid_path, mode: 0o700)
        lines = rejected.map { |i, status| JSON.generate('status' => status, 'entry' => entries[i.to_i]) }
        File.open(File.join(@invalid_path, Time.now.utc.strftime('%Y%m%dT%H.jsonl')), 'a', 0o600) { |f| f.puts(lines) }
      end

      # The entries that were not written, by their place in the request, each with code and message
      # (WriteLogEntriesPartialErrors); nil where the answer is about the request.
      def rejected_entries(body)
        details = JSON.parse(body).dig('error', 'details')
        found = Array(details).find { |d| d['@type'].to_s.end_with?('/google.logging.v2.WriteLogEntriesPartialErrors') }
        errors = found && found['logEntryErrors']
        errors if errors && !errors.empty?
      rescue JSON::ParserError, NoMethodError, TypeError
        nil
      end
    end
  end
end
