-- The cursor that fluent-bit's Lua keeps back, without fluent-bit: arg[1] is a copy of k8s/components/fluent-bit whose
-- state is below arg[2]. Prints TAP.
local conf, dir = arg[1] .. '/', arg[2] .. '/fluent-bit/'
local n = 0
local function ok(good, name)
  n = n + 1
  print((good and 'ok ' or 'not ok ') .. n .. ' - ' .. name)
end
local function read(name)
  local f = io.open(dir .. name, 'rb')
  if not f then return nil end
  local text = f:read('*a')
  f:close()
  return text
end
local function write(name, text)
  local f = assert(io.open(dir .. name, 'wb'))
  f:write(text)
  f:close()
end
local said, exited = '', nil
io.stderr = { write = function(_, ...) said = said .. table.concat({ ... }) end }
os.exit = function(code) exited = code end
local DATABASE = 'SQLite format 3\0'
local function begin()
  said = ''
  dofile(conf .. 'start.lua')
  dofile(conf .. 'audit.lua')
end
local TIME = { sec = 1, nsec = 2 }
local function tick() return (audit('linux-auditd', TIME, { tick = '1' })) end
local function record(message)
  return audit('linux-auditd', TIME, { MESSAGE = message, BOOT_ID = 'b', AUDIT_ID = '1', AUDIT_TYPE = '1327',
    AUDIT_TYPE_NAME = 'PROCTITLE' })
end

begin()
ok(said == '' and not read('cursor.saved'), 'without a database, nothing is done or said')
write('cursor.db', DATABASE .. 'of 0.1')
begin()
ok(read('cursor.db') == DATABASE .. 'of 0.1' and said == '', 'a database without a saved cursor, of an older version, stays')
ok(tick() == -1 and read('cursor.saved'):find('of 0.1', 1, true), 'a tick saves the cursor, and is no record')
write('cursor.db', DATABASE .. 'read')
record('PROCTITLE proctitle="a"')
write('cursor.db-journal', 'of a transaction that a kill ended')
ok(not read('cursor.saved'):find('read', 1, true), 'a record saves none: it is in no chunk yet')
begin()
ok(read('cursor.db') == DATABASE .. 'of 0.1', '... so that after a kill it is read again')
ok(not read('cursor.db-journal'), '... from the database as it was saved, without what another has left')
write('cursor.db', DATABASE .. 'read')
record('PROCTITLE proctitle="a"')
tick()
write('cursor.db', DATABASE .. 'more')
begin()
ok(read('cursor.db') == DATABASE .. 'read', 'and not after the tick that followed it')

write('cursor.db', 'garbage')
begin()
ok(read('cursor.db') == DATABASE .. 'read' and said == '', 'a database of garbage is replaced by the saved one')
os.remove(dir .. 'cursor.saved')
write('cursor.db', 'garbage')
begin()
ok(not read('cursor.db') and said:find('is no database'), '... without that, goes, and it is said')
for _, damage in ipairs({ '', 'garbage', 'cloud-audit-logging cursor 1 0 20 00\nSQLite format 3\0abcd' }) do
  write('cursor.db', DATABASE .. 'later')
  write('cursor.saved', damage)
  begin()
  ok(not read('cursor.db') and not read('cursor.saved') and select(2, said:gsub('\n', '\n')) == 1,
    'a saved cursor that is damaged: from the head, with one warning')
end

-- A full disk: here a directory that is not there.
write('cursor.db', DATABASE .. 'before')
begin()
tick()
assert(os.rename(dir, dir:sub(1, -2) .. '.away'))
said = ''
tick()
ok(said == '', 'nothing read, nothing asked of the disk')
record('PROCTITLE proctitle="a"')
tick()
ok(said:find('nothing more is taken from the journal'), 'a full disk is found at the tick, and told')
ok(record('PROCTITLE proctitle="a"') == -1, '... from then on records stay in the journal')
tick()
ok(select(2, said:gsub('\n', '\n')) == 1 and not exited, '... told once')
assert(os.rename(dir:sub(1, -2) .. '.away', dir))
write('cursor.db', DATABASE .. 'far ahead')
tick()
ok(exited == 1, '... until there is room: it ends, to be started anew')
begin()
ok(read('cursor.db') == DATABASE .. 'before', '... from the cursor before the first record that found none')

local find = string.find
string.find = function() error('planted') end
begin()
local code, _, out = record('PROCTITLE x')
string.find = find
ok(code == 2 and out['logging.googleapis.com/local_resource_id'] == 'k8s_node.node-1' and said:find('planted'),
  'an error in the script costs an entry its fields, not the chunk its resource')
print('1..' .. n)
