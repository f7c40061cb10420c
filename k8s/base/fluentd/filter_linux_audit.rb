# Adds key, severity and id to an audit record from the journal: see filter.conf.
require 'digest'
require 'fluent/plugin/filter'

module Fluent
  module Plugin
    class LinuxAuditFilter < Filter
      Fluent::Plugin.register_filter('linux_audit', self)

      # Events whose key is remembered. Records of one event follow each other, mixed with those of other
      # processors at most.
      EVENTS = 1024
      WARNING_TYPES = /\A(?:ANOM_|INTEGRITY_(?!RULE|POLICY_RULE)|USER_SELINUX_ERR|SELINUX_ERR)/.freeze
      # Types whose res= is the answer to somebody who asked for access or for a change.
      RESULT_TYPES = /\A(?:USER_AUTH|USER_ACCT|USER_LOGIN|USER_ERR|CRED_ACQ|CONFIG_CHANGE|FEATURE_CHANGE)\z/.freeze

      def initialize
        super
        @keys = {}
      end

      def filter(_tag, _time, record)
        record.each { |name, value| record[name] = utf8(value) }
        key = key_of(record)
        record['key'] = key if key
        record['severity'] = severity_of(record)
        record['id'] = id_of(record)
        record
      end

      private

      # Most of a record is ASCII, because the kernel writes the rest in hexadecimal; what programs send to the
      # audit system need not be.
      def utf8(value)
        case value
        when String then value.dup.force_encoding(Encoding::UTF_8).scrub('?')
        when Array then value.map { |v| utf8(v) }
        else value
        end
      end

      def key_of(record)
        event = [record['BOOT_ID'], record['AUDIT_ID']]
        own = parse_key(Array(record['AUDIT_FIELD_KEY']).first)
        return @keys[event] unless own

        @keys[event] = own
        @keys.shift if @keys.size > EVENTS
        own
      end

      # "exec" with the quotes; (null); or in hexadecimal, without quotes, which several keys are, with \x01
      # between them.
      def parse_key(value)
        case value
        when nil, '(null)' then nil
        when /\A"(.*)"\z/m then Regexp.last_match(1)
        when /\A(?:\h\h)+\z/ then utf8([value].pack('H*')).tr("\u0001", ',')
        else value
        end
      end

      def severity_of(record)
        type = record['AUDIT_TYPE_NAME'].to_s
        message = record['MESSAGE'].to_s
        case type
        when WARNING_TYPES then 'WARNING'
        when 'AVC', 'USER_AVC', 'APPARMOR_DENIED'
          if message.match?(/\bapparmor="DENIED"|\bdenied\b|\AAPPARMOR_DENIED/) then 'WARNING'
          elsif message.include?('apparmor="STATUS"') then 'NOTICE'
          else 'INFO'
          end
        when RESULT_TYPES
          if message.match?(/\bres=(?:0|failed)\b/) then 'WARNING'
          elsif type.end_with?('_CHANGE') then 'NOTICE'
          else 'INFO'
          end
        else 'INFO'
        end
      end

      def id_of(record)
        parts = record.values_at('BOOT_ID', 'AUDIT_ID', 'AUDIT_TYPE', 'MESSAGE')
        Digest::SHA256.hexdigest(parts.join("\n"))[0, 32]
      end
    end
  end
end
