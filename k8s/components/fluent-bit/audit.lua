-- Adds to an audit record from the journal what Cloud Logging takes out of it again: the label key, severity and
-- insertId, the node for the resource. The fields of the journal stay as they are. filter_linux_audit.rb does the
-- same for fluentd; t/28-shipper.t compares them.

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

-- Two remainders of the text as a number, below 2^31 each: exact in floating point.
local function digest(text)
  local a, b = 0, 0
  for i = 1, #text do
    local c = text:byte(i)
    a = (a * 257 + c) % 2147483647
    b = (b * 263 + c) % 2147483629
  end
  return string.format('%08x%08x', a, b)
end

function audit(tag, timestamp, record)
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
    event .. '-' .. tostring(record.AUDIT_TYPE) .. '-' .. digest(message)
  record['logging.googleapis.com/local_resource_id'] = 'k8s_node.' .. (os.getenv('NODE_NAME') or '')
  -- 2: the timestamp is the entry's.
  return 2, timestamp, record
end
