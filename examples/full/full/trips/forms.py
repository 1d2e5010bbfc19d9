from django import forms

from trips.models import Upload


class UploadForm(forms.ModelForm):
    """A file to upload."""

    class Meta:
        model = Upload
        fields = ["file"]
