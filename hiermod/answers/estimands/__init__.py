"""What is estimated of averaged responses: rates, effects, interactions, slopes, shrinkage.

A file holds one question: it reads its `Query`, asks `averaging` for draws, and makes an `Answer`.
"""
