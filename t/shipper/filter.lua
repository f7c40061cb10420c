-- Records through the filter of fluent-bit: arg[1] is a Lua file that returns them, arg[2] the directory of the scripts.
-- One line each: key, severity, insertId, MESSAGE as it leaves; "dropped" for a record that does.
dofile(arg[2] .. '/audit.lua')
for _, record in ipairs(dofile(arg[1])) do
  local code, _, out = audit('linux-auditd', { sec = 1, nsec = 2 }, record)
  if code == -1 then
    print('dropped')
  else
    assert(code == 2)
    local labels = out['logging.googleapis.com/labels'] or {}
    print(table.concat({ labels.key or '-', out.severity, out['logging.googleapis.com/insertId'],
      out['logging.googleapis.com/local_resource_id'], out.MESSAGE or '-' }, '\t'))
  end
end
