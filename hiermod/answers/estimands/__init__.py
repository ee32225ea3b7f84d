"""What can be estimated of averaged responses: rates, effects, interactions, slopes, shrinkage.

A file here holds one question: it reads its arguments, asks `averaging` for draws, and makes an `Answer`.
"""
