from shop.sound import *
