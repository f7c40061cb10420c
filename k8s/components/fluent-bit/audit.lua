-- Adds to an audit record from the journal what Cloud Logging takes out of it again: the label key, severity and
-- insertId, the node for the resource. The fields of the journal stay as they are. filter_linux_audit.rb does the
-- same for fluentd; t/28-shipper.t compares them.
local state = dofile(debug.getinfo(1, 'S').source:match('^@(.*/)') .. 'state.lua')

-- Groups whose records are wanted on the node, but not in the cloud: network = true, ...
local DROP = {
}

-- Events whose key is remembered: keyless records (EXECVE, CWD, PATH, ...) follow the SYSCALL record of their
-- event, mixed with those of other processors at most.
local EVENTS = 1024
local keys, order, first, last = {}, {}, 1, 0

local function remember(event, key)
  if not keys[event] then
    last = last + 1
    order[last] = event
    if last - first >= EVENTS then
      keys[order[first]] = nil
      order[first] = nil
      first = first + 1
    end
  end
  keys[event] = key
end

-- "exec" with the quotes; (null); or in hexadecimal, without quotes, which several keys are, with \1 between them.
local function parse_key(value)
  if type(value) == 'table' then value = value[1] end
  if type(value) ~= 'string' or value == '(null)' then return nil end
  local quoted = value:match('^"(.*)"$')
  if quoted then return quoted end
  if #value > 0 and #value % 2 == 0 and value:match('^%x+$') then
    return (value:gsub('%x%x', function(h) return string.char(tonumber(h, 16)) end):gsub('\1', ','))
  end
  return value
end

-- Types whose res= is the answer to somebody who asked for access or for a change.
local RESULT = {
  USER_AUTH = 'INFO', USER_ACCT = 'INFO', USER_LOGIN = 'INFO', USER_ERR = 'INFO', CRED_ACQ = 'INFO',
  CONFIG_CHANGE = 'NOTICE', FEATURE_CHANGE = 'NOTICE',
}
local MAC = { AVC = true, USER_AVC = true }

local function severity_of(kind, message)
  if kind:find('^ANOM_') or kind == 'SELINUX_ERR' or kind == 'USER_SELINUX_ERR' then return 'WARNING' end
  if kind:find('^INTEGRITY_') and kind ~= 'INTEGRITY_RULE' and kind ~= 'INTEGRITY_POLICY_RULE' then
    return 'WARNING'
  end
  if MAC[kind] then
    if message:find('apparmor="DENIED"', 1, true) or message:find('%f[%w]denied%f[%W]') then return 'WARNING' end
    if message:find('apparmor="STATUS"', 1, true) then return 'NOTICE' end
    return 'INFO'
  end
  if RESULT[kind] then
    if message:find('%f[%w]res=0%f[%W]') or message:find('%f[%w]res=failed%f[%W]') then return 'WARNING' end
    return RESULT[kind]
  end
  return 'INFO'
end

local function entry(timestamp, record)
  local event = tostring(record.BOOT_ID) .. '-' .. tostring(record.AUDIT_ID)
  local key = parse_key(record.AUDIT_FIELD_KEY)
  if key then remember(event, key) else key = keys[event] end
  if key and DROP[key] then return -1, timestamp, record end
  if key then record['logging.googleapis.com/labels'] = { key = key } end

  local message = record.MESSAGE
  if type(message) ~= 'string' then message = '' end
  record.severity = severity_of(tostring(record.AUDIT_TYPE_NAME), message)
  -- The same for the same record, also when it is read again.
  record['logging.googleapis.com/insertId'] =
    event .. '-' .. tostring(record.AUDIT_TYPE) .. '-' .. state.digest(message)
  -- 2: the timestamp is the entry's.
  return 2, timestamp, record
end

-- --- the cursor, and a full disk ---
-- Between two ticks at most so much comes into chunks: in_systemd hands over 1 MB at a time.
local ROOM = 2 * 1024 * 1024
local full = not state.room(ROOM)
local saved, seen = nil, true

-- A tick is a batch of its own: all that were handed over before it are in chunks.
local function tick()
  local database = seen and state.read(state.database)
  if not seen and not full then return end
  seen = false
  local ok, why = state.room(full and 4 * ROOM or ROOM)
  if ok and full then
    state.say('warn', 'there is room again: starting anew from the saved cursor')
    os.exit(1)
  end
  if ok and database and database ~= saved then
    ok, why = state.save('', database)
    if ok then saved = database end
  end
  if not ok and not full then
    state.say('error', state.file, ': ', why, ': nothing more is taken from the journal until there is room')
    full = true
  end
end

local RESOURCE = 'k8s_node.' .. (os.getenv('NODE_NAME') or '')

function audit(tag, timestamp, record)
  if record.tick then
    tick()
    return -1, timestamp, record
  end
  seen = true
  -- What fluent-bit cannot append now it would lose. It stays in the journal, before the saved cursor.
  if full then return -1, timestamp, record end
  -- Without it Cloud Logging's output tries the whole chunk again for ever.
  record['logging.googleapis.com/local_resource_id'] = RESOURCE
  -- An error that reached fluent-bit would let the whole batch through as it was.
  local ok, code, when, out = pcall(entry, timestamp, record)
  if ok then return code, when, out end
  state.say('error', tostring(code))
  return 2, timestamp, record
end
