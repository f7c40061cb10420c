-- Counts of what the scripts have done, as a file of Prometheus' text format: fluent-bit reads it again and serves it
-- (fluent-bit.yaml), for which its Lua has no other way.
local Signals = {}
Signals.__index = Signals

local METRICS = {
  { 'records_total', 'counter', 'Records read from the journal' },
  { 'record_bytes_total', 'counter', 'Bytes of the text of those' },
  { 'events_total', 'counter', 'Events that ended' },
  { 'entries_total', 'counter', 'Entries made of them' },
  { 'parts_total', 'counter', 'Entries that have not all records of their event' },
  { 'left_out_total', 'counter', 'Entries not sent because of volume.lua' },
  { 'held', 'gauge', 'Events that have begun and not ended' },
  { 'lag_seconds', 'gauge', 'Age of the last event that ended, when it did; where nothing was read for a minute, 0' },
  { 'last_event_seconds', 'gauge', 'Time of the last event that ended' },
  { 'disk_full', 'gauge', '1: nothing is taken from the journal until there is room' },
}

function Signals.new(state)
  return setmetatable({ state = state, records_total = 0, record_bytes_total = 0, events_total = 0, entries_total = 0,
    parts_total = 0, lag_seconds = 0, last_event_seconds = 0, written = 0, idle = 0 }, Signals)
end

function Signals:record(bytes)
  self.records_total = self.records_total + 1
  self.record_bytes_total = self.record_bytes_total + bytes
end

function Signals:event(event)
  self.events_total = self.events_total + 1
  self.last_event_seconds = math.floor(event.written / 1000000)
  self.lag_seconds = math.max(0, os.time() - self.last_event_seconds)
end

function Signals:entry(entry)
  self.entries_total = self.entries_total + 1
  if entry.part then self.parts_total = self.parts_total + 1 end
end

-- So many times it is written, every 15 seconds, with nothing read and nothing that waits. The input may have been paused for
-- less than that, in a backlog.
local MINUTE = 4

-- Always of the same size, in blocks of its own: that a disk is full can be written over what is there.
local SIZE = 4000
local function over(path, text)
  local file = io.open(path, 'r+b')
  if not file then return end
  file:write(text)
  file:close()
end

function Signals:write(more)
  self.idle = self.records_total == self.written and more.held == 0 and not more.full and self.idle + 1 or 0
  if self.idle >= MINUTE then self.lag_seconds = 0 end
  self.written = self.records_total
  self.left_out_total, self.held, self.disk_full = more.left_out, more.held, more.full and 1 or 0
  local text = {}
  for i, metric in ipairs(METRICS) do
    local name = 'linux_audit_' .. metric[1]
    text[i] = ('# HELP %s %s\n# TYPE %s %s\n%s %d\n'):format(name, metric[3], name, metric[2], name, self[metric[1]])
  end
  local all = table.concat(text)
  all = all .. ('\n'):rep(SIZE - #all)
  if not self.state.write(self.state.signals, all) then over(self.state.signals, all) end
end

return Signals
