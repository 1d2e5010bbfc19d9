from django.contrib import admin

from tasks.models import Job, Shift

admin.site.register(Job)
admin.site.register(Shift)
