-- What is wanted on the node, but not in the cloud. Empty tables leave nothing out. The rules file is the better place
-- where it can say the same: what is not recorded costs the node nothing.
local WANTED = {
  -- By the rule's key, of a container's class (container, exec, terminal; host: none), by executable:
  drop = {
    key = {},     -- network = true
    class = {},   -- container = true
    exe = {},     -- ['/usr/bin/runc'] = true
  },
  -- Of a key's events one in so many, by the event's serial number: the same ones at each try.
  sample = {},    -- network = 10
  -- Entries a minute and container; nil: all. The minute's end, or the container's next entry, brings one more entry, of
  -- type LEFT_OUT, whose field left_out has how many were not sent. A kill forgets counts.
  limit = nil,    -- 600
}

local Volume = {}
Volume.__index = Volume
local MINUTE = 60 * 1000000

function Volume.new(wanted) return setmetatable({ wanted = wanted or WANTED, windows = {}, left_out = 0 }, Volume) end

-- What somebody claims may name any container, and any number of them: all of it counts as one.
local function id_of(entry)
  local of = entry.container
  return of and (of.source == 'claimed' and 'claimed' or of.id)
end

function Volume:is_dropped(entry, label)
  local drop, every = self.wanted.drop, self.wanted.sample[label]
  if drop.key[label] or drop.class[entry.class or 'host'] or drop.exe[entry.exe] then return true end
  return every and tonumber(entry.event:match('%d+$')) % every ~= 0
end

-- Whether an entry goes on; `written`: its event's time in microseconds. Gives a LEFT_OUT entry, too, when it is time.
function Volume:keep(entry, label, written)
  if self:is_dropped(entry, label or '') then
    self.left_out = self.left_out + 1
    return false
  end
  local id = self.wanted.limit and id_of(entry)
  if not id then return true end
  local window, told = self.windows[id], nil
  if window and math.abs(written - window.from) >= MINUTE then
    told = self:close(id, window)
    window = nil
  end
  if not window then
    window = { from = written, count = 0, out = 0 }
    self.windows[id] = window
  end
  window.count = window.count + 1
  if window.count <= self.wanted.limit then return true, told end
  self.left_out = self.left_out + 1
  window.out = window.out + 1
  window.first = window.first or { event = entry.event, class = entry.class, container = entry.container, written = written }
  return false, told
end

-- The LEFT_OUT entries of minutes that are over by `written`.
function Volume:over(written)
  local all = {}
  for id, window in pairs(self.windows) do
    if math.abs(written - window.from) >= MINUTE then
      all[#all + 1] = self:close(id, window)
    end
  end
  return all
end

function Volume:close(id, window)
  self.windows[id] = nil
  local first = window.first
  if not first then return nil end
  return { format = 1, event = first.event, type = { 'LEFT_OUT' }, left_out = window.out, class = first.class,
    container = first.container, severity = 'NOTICE', id = first.event .. '-LEFT_OUT-' .. window.out, written = first.written }
end

return Volume
