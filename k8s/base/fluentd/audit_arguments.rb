# EXECVE: the arguments of a program, which the kernel writes into one record or, when they are long, into many:
#   argc=3 a0="sh" a1="-c" a2_len=9000 a2[0]=6563... a2[1]=...
require_relative 'audit_text'

class AuditArguments
  TEXT = /\A(?:argc=(\d+))?((?: a\d+(?:_len=\d+|\[\d+\]="[\x21\x23-\x7e]*"|\[\d+\]=[0-9A-F]+|="[\x21\x23-\x7e]*"|=[0-9A-F]+))*)\z/.freeze
  ARGUMENT = / a(\d+)(?:_len=(\d+)|(?:\[(\d+)\])?=([^ ]+))/.freeze
  # What the kernel takes off a command line's end: it cuts it after so many bytes.
  TITLE = 128

  def initialize
    @bytes = []
    @lengths = {}
  end

  # The text of one record; false for one that is none, of which nothing is taken.
  def add(text)
    # Of a second record the blank before its first name is not in the journal.
    match = TEXT.match(text.start_with?('argc=') ? text : " #{text.lstrip}") or return false
    found = match[2].scan(ARGUMENT).map { |i, length, piece, raw| [i.to_i, length, piece, raw && AuditText.bytes(raw)] }
    return false if found.any? { |_, length, _, bytes| length.nil? && bytes.nil? }

    @argc = match[1].to_i if match[1]
    found.each { |i, length, piece, bytes| length ? @lengths[i] = length.to_i : argument(i, piece.to_i, bytes) }
    true
  end

  def argument(index, piece, bytes)
    @first ||= [index, piece]
    place = index - @first[0]
    @bytes[place] = (@bytes[place] || ''.b) + bytes
  end

  # Fields of an entry.
  def add_to(entry)
    return unless @first || @argc

    at, piece = @first || [0, 0]
    entry['argv'] = @bytes.map { |bytes| AuditText.text(bytes || '') }
    entry['argc'] = @argc if @argc && (at.positive? || @argc != @bytes.size)
    entry['argv_at'] = at if at.positive?
    entry['argv_piece'] = piece if piece.positive?
    other = @lengths.reject { |i, length| @bytes[i - at]&.bytesize == length }
    entry['argv_length'] = other.transform_keys(&:to_s) unless other.empty?
  end

  # What PROCTITLE would say: its first bytes, without what cannot be printed at the end.
  def title
    return if !@first || @first != [0, 0]

    all = @bytes.map { |bytes| bytes || '' }.join("\0".b).byteslice(0, TITLE)
    all.sub(/[^\x20-\x7e\xa0-\xff]+\z/n, '').split("\0".b, -1).map { |bytes| AuditText.text(bytes) }
  end
end
