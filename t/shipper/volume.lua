-- volume.lua, what to leave out: TAP. arg[1]: the directory of fluent-bit's scripts.
flb_null = newproxy()
package.path = arg[1] .. '/?.lua;' .. package.path
local Volume = require('volume')
local tap = dofile(arg[0]:match('^.*/') .. 'tap.lua')
local ok = tap.ok
local function wanted(of)
  local all = { drop = { key = {}, class = {}, exe = {} }, sample = {} }
  for name, value in pairs(of) do all[name] = value end
  for _, name in ipairs({ 'key', 'class', 'exe' }) do all.drop[name] = all.drop[name] or {} end
  return Volume.new(all)
end
local BOOT = ('ab'):rep(16)
local function entry(serial, more)
  local e = { event = BOOT .. '-' .. serial, type = { 'SYSCALL' }, exe = '/bin/sh' }
  for name, value in pairs(more or {}) do e[name] = value end
  return e
end
local function kept(volume, e, key, seconds) return (volume:keep(e, key, (seconds or 0) * 1000000)) end

local v = Volume.new()
ok(kept(v, entry(1), 'exec') and kept(v, entry(2)) and v.left_out == 0, 'as it is shipped, nothing is left out')

v = wanted({ drop = { key = { network = true } } })
ok(not kept(v, entry(1), 'network') and kept(v, entry(2), 'exec') and kept(v, entry(3)), 'by key')
v = wanted({ drop = { class = { container = true } } })
ok(not kept(v, entry(1, { class = 'container' })) and kept(v, entry(2, { class = 'exec' })) and kept(v, entry(3)), 'by class')
v = wanted({ drop = { class = { host = true } } })
ok(kept(v, entry(1, { class = 'container' })) and not kept(v, entry(2)), '... host: none')
v = wanted({ drop = { exe = { ['/usr/bin/runc'] = true } } })
ok(not kept(v, entry(1, { exe = '/usr/bin/runc' })) and kept(v, entry(2)), 'by executable')
ok(v.left_out == 1, '... and counted')

v = wanted({ sample = { network = 10 } })
local first, again = {}, {}
for i = 1, 1000 do
  if kept(v, entry(i), 'network') then first[#first + 1] = i end
  if kept(v, entry(i), 'network') then again[#again + 1] = i end
end
ok(#first == 100, 'a sample: one in ten')
ok(table.concat(first, ' ') == table.concat(again, ' '), '... the same ones at each try')
ok(kept(v, entry(1), 'exec'), '... of other keys all')

v = wanted({ limit = 5 })
local web, db = { container = { id = 'web' }, class = 'container' }, { container = { id = 'db' } }
local sent = 0
for i = 1, 20 do if kept(v, entry(i, web), 'exec', i) then sent = sent + 1 end end
ok(sent == 5 and v.left_out == 15, 'a limit for a container: so many a minute')
ok(kept(v, entry(30, db), 'exec', 30), '... for each by itself')
local host = 0
for i = 40, 59 do if kept(v, entry(i), 'exec', 40) then host = host + 1 end end
ok(host == 20, '... none for the host')
local keep, told = v:keep(entry(70, web), 'exec', 70 * 1000000)
ok(keep and told and told.left_out == 15 and told.container.id == 'web' and told.type[1] == 'LEFT_OUT' and
  told.event == BOOT .. '-6' and told.class == 'container', 'the next minute tells how many were left out, and of which container')
for i = 71, 90 do kept(v, entry(i, web), 'exec', 71) end
ok(#v:over(100 * 1000000) == 0, 'before it is over, a minute is not told')
local all = v:over(140 * 1000000)
ok(#all == 1 and all[1].left_out == 16, '... afterwards it is, also when nothing comes any more')
ok(#v:over(300 * 1000000) == 0, '... once')
ok(told.id == BOOT .. '-6-LEFT_OUT-15' and all[1].id:sub(-12) == '-LEFT_OUT-16', '... under an insertId that has the count: a kill forgets counts, and another one is another entry')

v = wanted({ limit = 5 })
for i = 1, 20 do kept(v, entry(i, web), 'exec', 7200) end
ok(kept(v, entry(30, web), 'exec', 3600), 'the clock is set back: a minute of its own begins')

-- What a container claims about another one.
v = wanted({ limit = 5 })
local function claimed(id) return { container = { id = id, source = 'claimed' }, class = 'container' } end
for i = 1, 20 do kept(v, entry(i, claimed('web')), nil, 1) end
ok(kept(v, entry(30, web), 'exec', 2), 'what is claimed about a container does not use up its limit')
for i = 1, 1000 do kept(v, entry(100 + i, claimed('c' .. i)), nil, 3) end
local windows = 0
for _ in pairs(v.windows) do windows = windows + 1 end
ok(windows == 2 and v.left_out == 1015, '... and all that is claimed has one limit together')
tap.done()
