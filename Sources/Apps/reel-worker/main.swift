print("reel-worker")
