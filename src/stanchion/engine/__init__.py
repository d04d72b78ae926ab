"""The services between callers and stores: submit, work, maintain, watch. No SQL, no HTTP."""
