"""Write verbs, one file each: request in, result out, ports by keyword. All checks come before the first write."""
