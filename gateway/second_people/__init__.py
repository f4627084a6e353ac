"""What guardian, approvers and brands' owners do in processes of their own, with keys that the operator never sees."""
