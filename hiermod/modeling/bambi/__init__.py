"""All that hiermod knows of Bambi and formulae: `bridge` gives the `bmb.Model` of a spec, `importing` takes one."""
