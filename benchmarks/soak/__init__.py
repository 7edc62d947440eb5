"""Workers under everything that may happen to them, for as long as there is time: is any promise ever broken?"""
